package sasl

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// TestVectors runs the exchanges of RFC 5802 §5, RFC 7677 §3 and XEP-0474 §5.3, whose
// nonces, salts and so proofs are known.
func TestVectors(t *testing.T) { // checklist 26
	t.Parallel()
	for _, v := range []struct {
		name, mechanism, salt, nonce string
		conn                         Conn
		first, challenge, final, out string
	}{
		{
			"RFC 5802", ScramSHA1, "QSXCR+Q6sek8bf92", "3rfcNHYJY1ZVvWVs7j", Conn{},
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			"RFC 7677", ScramSHA256, "W22ZaJ0SNY7soEsUEjb6gQ==", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", Conn{},
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
		{
			"XEP-0474", ScramSHA1Plus, "QSXCR+Q6sek8bf92", "a09117a6-ac50-4f2f-93f1-93799c2bddf6",
			Conn{TLS: true, Bindings: []Binding{{BindExporter, []byte("THIS IS FAKE CB DATA")}, {BindEndPoint, nil}}},
			"p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6",
			"r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=",
			"c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=",
			"v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=",
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			salt, _ := base64.StdEncoding.DecodeString(v.salt)
			var c Credentials
			for h := range hashes {
				k, err := deriveKey(h, "pencil", salt, 4096)
				if err != nil {
					t.Fatal(err)
				}
				c.Keys[h] = k
			}
			s, err := NewServer(Config{
				Host: jid.MustParse("example.org"), Accounts: users{"user": c}, Secret: secret,
				Mechanisms: []string{ScramSHA1, ScramSHA1Plus, ScramSHA256}[:map[bool]int{true: 2, false: 3}[v.conn.TLS]],
			})
			if err != nil {
				t.Fatal(err)
			}
			m := newScram(s, v.mechanism, v.conn)
			m.nonce = func() string { return v.nonce }
			m.withoutHash = !strings.Contains(v.challenge, ",h=")
			out, done, err := m.step(t.Context(), []byte(v.first))
			if err != nil || done || string(out) != v.challenge {
				t.Fatalf("%s %v %v", out, done, err)
			}
			out, done, err = m.step(t.Context(), []byte(v.final))
			if err != nil || !done || string(out) != v.out {
				t.Fatalf("%s %v %v", out, done, err)
			}
			if id := m.identity(); id.JID.String() != "user@example.org" {
				t.Errorf("%+v", id)
			}
		})
	}
}
