package sasl

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Limits of what a client of SCRAM may send.
const (
	maxScram = 8 << 10
	maxNonce = 512
)

// clientFirst is the client-first-message. RFC 5802 §7.
type clientFirst struct {
	flag     byte   // n, y or p
	binding  string // type of the channel binding, with p
	authzid  string
	header   string // gs2-header as received
	bare     string // client-first-message-bare as received
	username string
	nonce    string
}

func parseClientFirst(in []byte) (clientFirst, error) {
	var c clientFirst
	text := string(in)
	if len(in) > maxScram || !utf8.Valid(in) || strings.IndexByte(text, 0) >= 0 {
		return c, fail(MalformedRequest, "bad bytes")
	}
	flag, rest, ok := strings.Cut(text, ",")
	if !ok || flag == "" {
		return c, fail(MalformedRequest, "no gs2 header")
	}
	c.flag = flag[0]
	switch {
	case flag == "n" || flag == "y":
	case strings.HasPrefix(flag, "p=") && isBindingName(flag[2:]):
		c.binding = flag[2:]
	default:
		return c, fail(MalformedRequest, "bad gs2 flag")
	}
	authzid, bare, ok := strings.Cut(rest, ",")
	if !ok {
		return c, fail(MalformedRequest, "no gs2 header")
	}
	if authzid != "" {
		name, ok := strings.CutPrefix(authzid, "a=")
		if c.authzid, ok = saslname(name, ok); !ok {
			return c, fail(MalformedRequest, "bad authzid")
		}
	}
	c.bare = bare
	c.header = text[:len(text)-len(bare)]
	fields := strings.Split(bare, ",")
	if len(fields) < 2 || strings.HasPrefix(bare, "m=") {
		return c, fail(MalformedRequest, "extension or missing field") // RFC 5802 §5.1
	}
	name, ok := strings.CutPrefix(fields[0], "n=")
	if c.username, ok = saslname(name, ok); !ok {
		return c, fail(MalformedRequest, "bad name")
	}
	nonce, ok := strings.CutPrefix(fields[1], "r=")
	if !ok || !isNonce(nonce) {
		return c, fail(MalformedRequest, "bad nonce")
	}
	c.nonce = nonce
	return c, checkExtensions(fields[2:])
}

// clientFinal is the client-final-message.
type clientFinal struct {
	channel      []byte // gs2-header and channel binding data
	nonce        string
	proof        []byte
	withoutProof string
}

func parseClientFinal(in []byte, size int) (clientFinal, error) {
	var c clientFinal
	text := string(in)
	if len(in) > maxScram || !utf8.Valid(in) || strings.IndexByte(text, 0) >= 0 {
		return c, fail(MalformedRequest, "bad bytes")
	}
	fields := strings.Split(text, ",")
	last := len(fields) - 1
	if last < 2 {
		return c, fail(MalformedRequest, "missing field")
	}
	channel, ok := strings.CutPrefix(fields[0], "c=")
	var err error
	if c.channel, err = decodeStrict(channel); !ok || err != nil {
		return c, fail(MalformedRequest, "bad channel binding")
	}
	if c.nonce, ok = strings.CutPrefix(fields[1], "r="); !ok || !isNonce(c.nonce) {
		return c, fail(MalformedRequest, "bad nonce")
	}
	proof, ok := strings.CutPrefix(fields[last], "p=")
	if c.proof, err = decodeStrict(proof); !ok || err != nil || len(c.proof) != size {
		return c, fail(MalformedRequest, "bad proof")
	}
	c.withoutProof = text[:len(text)-len(fields[last])-1]
	return c, checkExtensions(fields[2:last])
}

// checkExtensions ignores unknown attributes that are well formed.
func checkExtensions(fields []string) error {
	for _, f := range fields {
		if len(f) < 3 || f[1] != '=' || f[0]|0x20 < 'a' || f[0]|0x20 > 'z' || f[0] == 'm' {
			return fail(MalformedRequest, "bad extension")
		}
	}
	return nil
}

// saslname unescapes =2C and =3D. RFC 5802 §5.1.
func saslname(s string, ok bool) (string, bool) {
	if !ok || s == "" || len(s) > 3*maxField {
		return "", false
	}
	if !strings.Contains(s, "=") {
		return s, true
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "=")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		switch {
		case strings.HasPrefix(after, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(after, "3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = after[2:]
	}
}

func isNonce(s string) bool {
	if s == "" || len(s) > maxNonce {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '!' || s[i] > '~' || s[i] == ',' {
			return false
		}
	}
	return true
}

func isBindingName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// decodeStrict is base64 without line ends, with right padding and zero spare bits.
func decodeStrict(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 ignores them
		return nil, base64.CorruptInputError(strings.IndexAny(s, "\r\n"))
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}
