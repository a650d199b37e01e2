package c2s

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

// forger writes records of its own into a TLS connection that crypto/tls has set up.
type forger struct {
	net.Conn
	received bytes.Buffer // from the server during the handshake
	keys     bytes.Buffer // the key log
	vers     uint16
	suite    uint16
	secret   []byte // of what we write: TLS 1.3's traffic secret, TLS 1.2's master secret
	seq      uint64
}

func (f *forger) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	f.received.Write(p[:n])
	return n, err
}

// forge sets up TLS after starttls.
func forge(t *testing.T, p *testServer, version uint16) *forger {
	t.Helper()
	c := p.dial()
	c.features("home.test")
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("/>")
	f := &forger{Conn: c.Conn, vers: version}
	config := &tls.Config{
		InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, KeyLogWriter: &f.keys,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, CurvePreferences: []tls.CurveID{tls.X25519},
	}
	conn := tls.Client(f, config)
	_ = conn.SetDeadline(time.Now().Add(testTimeout))
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	f.suite = conn.ConnectionState().CipherSuite
	label := map[uint16]string{tls.VersionTLS12: "CLIENT_RANDOM", tls.VersionTLS13: "CLIENT_TRAFFIC_SECRET_0"}[version]
	for line := range strings.Lines(f.keys.String()) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == label {
			f.secret, _ = hex.DecodeString(fields[2])
			if version == tls.VersionTLS12 {
				f.secret, f.seq = keys12(f.secret, f.received.Bytes()[11:43], fields[1]), 1 // 0 was finished
			}
		}
	}
	if f.secret == nil {
		t.Fatal("no secret")
	}
	return f
}

// keys12 is RFC 5246 §6.3 for AES-128-GCM: our key, the server's, our salt, the server's.
func keys12(master, serverRandom []byte, clientRandom string) []byte {
	client, _ := hex.DecodeString(clientRandom)
	seed := append(append([]byte("key expansion"), serverRandom...), client...)
	sum := func(text []byte) []byte { m := hmac.New(sha256.New, master); m.Write(text); return m.Sum(nil) }
	var out []byte
	for a := sum(seed); len(out) < 40; a = sum(a) {
		out = append(out, sum(append(bytes.Clone(a), seed...))...)
	}
	return out
}

func expand(secret []byte, label string, size int) []byte {
	info := append([]byte{0, byte(size), byte(len(label) + 6)}, "tls13 "+label+"\x00"...)
	out, err := hkdf.Expand(sha256.New, secret, string(info), size)
	if err != nil {
		panic(err)
	}
	return out
}

// Kinds of content.
const (
	handshake byte = 22
	data      byte = 23
)

// write sends a message in a record of its own.
func (f *forger) write(t *testing.T, kind byte, message []byte) error {
	t.Helper()
	seq := binary.BigEndian.AppendUint64(nil, f.seq)
	f.seq++
	var record []byte
	if f.vers == tls.VersionTLS12 {
		aead := gcm(t, f.secret[:16])
		nonce := append(bytes.Clone(f.secret[32:36]), seq...)
		head := append(bytes.Clone(seq), kind, 3, 3, 0, byte(len(message)))
		record = append([]byte{kind, 3, 3, 0, byte(len(message) + 24)}, aead.Seal(seq, nonce, message, head)...)
	} else {
		var aead cipher.AEAD
		switch f.suite {
		case tls.TLS_AES_128_GCM_SHA256:
			aead = gcm(t, expand(f.secret, "key", 16))
		case tls.TLS_CHACHA20_POLY1305_SHA256:
			aead, _ = chacha20poly1305.New(expand(f.secret, "key", 32))
		default:
			t.Fatalf("cipher suite %x: neither side of Go prefers it", f.suite)
		}
		nonce := expand(f.secret, "iv", 12)
		for i, b := range seq {
			nonce[4+i] ^= b
		}
		head := []byte{data, 3, 3, 0, byte(len(message) + 17)}
		record = append(bytes.Clone(head), aead.Seal(nil, nonce, append(bytes.Clone(message), kind), head)...)
	}
	_, err := f.Conn.Write(record)
	return err
}

func gcm(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

// rekey is RFC 8446 §7.2, after a KeyUpdate.
func (f *forger) rekey() { f.secret, f.seq = expand(f.secret, "traffic upd", 32), 0 }

// closed returns how much the server still sends before it ends the connection.
func (f *forger) closed(t *testing.T) int {
	t.Helper()
	_ = f.Conn.SetReadDeadline(time.Now().Add(testTimeout))
	n, err := io.Copy(io.Discard, f.Conn)
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Error("the server did not end the connection")
	}
	return int(n)
}

// CVE-2021-32920: a client cannot make the server do handshakes again and again on one connection.
func TestCVE_2021_32920_Renegotiation(t *testing.T) {
	t.Parallel()
	hello := append([]byte{1, 0, 0, 43, 3, 3}, make([]byte, 32)...)
	hello = append(hello, 0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 0) // no session, one suite, no compression, no extensions
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := newTestServer(t, nil)
		f := forge(t, p, version)
		if err := f.write(t, handshake, hello); err != nil {
			t.Fatal(err)
		}
		if n := f.closed(t); n > 2000 {
			t.Errorf("%x: answered by %d bytes", version, n)
		}
		rawstream.Eventually(t, "gone", func() bool { return p.server.Counters.Connections.Load() == 0 })
	}
	// With TLS 1.3 there is a cheaper one: new keys, which the other side has to answer.
	p := newTestServer(t, nil)
	f := forge(t, p, tls.VersionTLS13)
	for range 1000 {
		if f.write(t, handshake, []byte{24, 0, 0, 1, 1}) != nil {
			break
		}
		f.rekey()
	}
	if n := f.closed(t); n > 4000 {
		t.Errorf("new keys: answered by %d bytes", n)
	}
	// A few key updates are not an attack, and show that the forged records are valid.
	f = forge(t, p, tls.VersionTLS13)
	for range 3 {
		if err := f.write(t, handshake, []byte{24, 0, 0, 1, 0}); err != nil {
			t.Fatal(err)
		}
		f.rekey()
	}
	if err := f.write(t, data, []byte(open("home.test"))); err != nil {
		t.Fatal(err)
	}
	_ = f.SetReadDeadline(time.Now().Add(testTimeout))
	if _, err := io.CopyN(io.Discard, f, 600); err != nil { // header and features
		t.Error(err)
	}
	_ = f.Close()
}
