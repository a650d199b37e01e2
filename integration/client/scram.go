package client

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" // RFC 5802
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
)

var scramHashes = map[string]func() hash.Hash{"SCRAM-SHA-1": sha1.New, "SCRAM-SHA-256": sha256.New, "SCRAM-SHA-512": sha512.New}

// hashedToken is the login with a token (draft-schmaus-kitten-sasl-ht-09 §3).
func (c *Conn) hashedToken(name, token string) (first string, answer func(data string, last bool) (string, error), err error) {
	kind := map[string]string{"EXPR": "tls-exporter", "ENDP": "tls-server-end-point"}[name[strings.LastIndexByte(name, '-')+1:]]
	binding, err := c.binding(kind)
	if err != nil {
		return "", nil, err
	}
	sum := func(who string) []byte { return mac(sha256.New, []byte(token), who+string(binding)) }
	return c.user + "\x00" + string(sum("Initiator")), func(data string, _ bool) (string, error) {
		if subtle.ConstantTimeCompare([]byte(data), sum("Responder")) != 1 {
			return "", errors.New("the server has not proved that it knows the token")
		}
		return "", nil
	}, nil
}

// scram is the client's side of SCRAM (RFC 5802) with the downgrade protection of XEP-0474.
type scram struct {
	conn     *Conn
	hash     func() hash.Hash
	password string
	header   string // of GS2
	binding  []byte
	bare     string // client-first-message-bare
	offered  string // hash of what the features have offered
	proof    []byte // that the server has to send
}

func (c *Conn) newScram(name, password string) (*scram, error) {
	base, plus := strings.CutSuffix(name, "-PLUS")
	s := &scram{conn: c, hash: scramHashes[base], password: password, header: "n,,"}
	if s.hash == nil {
		return nil, fmt.Errorf("unknown mechanism %s", name)
	}
	if plus {
		var err error
		s.header = "p=tls-exporter,,"
		if s.binding, err = c.binding("tls-exporter"); err != nil {
			return nil, err
		}
	}
	s.offered = s.hashOfOffer()
	return s, nil
}

// hashOfOffer is the hash of the mechanisms and channel bindings that were offered (XEP-0474 §5.1).
func (s *scram) hashOfOffer() string {
	var mechanisms, bindings []string
	if f := s.conn.offered.Child(spaceSASL2, "authentication"); f != nil {
		for _, e := range f.Children {
			if e.Name.Space == spaceSASL2 && e.Name.Local == "mechanism" {
				mechanisms = append(mechanisms, e.Text)
			}
		}
	}
	if f := s.conn.offered.Child(spaceBindings, "sasl-channel-binding"); f != nil {
		for _, e := range f.Children {
			bindings = append(bindings, e.Attr("type"))
		}
	}
	slices.Sort(mechanisms)
	slices.Sort(bindings)
	text := strings.Join(mechanisms, "\x1e")
	if len(bindings) > 0 {
		text += "\x1f" + strings.Join(bindings, "\x1e")
	}
	h := s.hash()
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (s *scram) first() string {
	s.bare = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.conn.user) + ",r=" + rand.Text()
	return s.header + s.bare
}

func (s *scram) answer(data string, last bool) (string, error) {
	if last {
		if want := "v=" + base64.StdEncoding.EncodeToString(s.proof); subtle.ConstantTimeCompare([]byte(data), []byte(want)) != 1 {
			return "", errors.New("the server has not proved that it knows the password")
		}
		return "", nil
	}
	fields := map[string]string{}
	for f := range strings.SplitSeq(data, ",") {
		key, value, _ := strings.Cut(f, "=")
		fields[key] = value
	}
	salt, err := base64.StdEncoding.DecodeString(fields["s"])
	if err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	rounds, err := strconv.Atoi(fields["i"])
	if err != nil {
		return "", fmt.Errorf("rounds: %w", err)
	}
	if _, own, _ := strings.Cut(s.bare, ",r="); !strings.HasPrefix(fields["r"], own) || fields["r"] == own {
		return "", errors.New("the nonce is not the client's")
	}
	if h, ok := fields["h"]; ok && h != s.offered {
		return "", errors.New("what the server has offered was changed on the way")
	}
	salted, err := saltedPassword(s.hash, s.password, salt, rounds)
	if err != nil {
		return "", err
	}
	clientKey := mac(s.hash, salted, "Client Key")
	stored := s.hash()
	stored.Write(clientKey)
	final := "c=" + base64.StdEncoding.EncodeToString(append([]byte(s.header), s.binding...)) + ",r=" + fields["r"]
	auth := s.bare + "," + data + "," + final
	proof := mac(s.hash, stored.Sum(nil), auth)
	subtle.XORBytes(proof, proof, clientKey)
	s.proof = mac(s.hash, mac(s.hash, salted, "Server Key"), auth)
	return final + ",p=" + base64.StdEncoding.EncodeToString(proof), nil
}

func saltedPassword(h func() hash.Hash, password string, salt []byte, rounds int) ([]byte, error) {
	return pbkdf2.Key(h, password, salt, rounds, h().Size())
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Credentials returns a password's keys for one mechanism of SCRAM as servers export them (XEP-0227 §4.3).
func Credentials(mechanism, password string) (string, error) {
	h, salt := scramHashes[mechanism], []byte(rand.Text())
	if h == nil {
		return "", fmt.Errorf("unknown mechanism %s", mechanism)
	}
	salted, err := saltedPassword(h, password, salt, exportedRounds)
	if err != nil {
		return "", err
	}
	stored := h()
	stored.Write(mac(h, salted, "Client Key"))
	field := func(name string, value []byte) string {
		return "<" + name + ">" + base64.StdEncoding.EncodeToString(value) + "</" + name + ">"
	}
	return "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='" + mechanism + "'><iter-count>" + strconv.Itoa(exportedRounds) + "</iter-count>" +
		field("salt", salt) + field("server-key", mac(h, salted, "Server Key")) + field("stored-key", stored.Sum(nil)) + "</scram-credentials>", nil
}

const exportedRounds = 4096
