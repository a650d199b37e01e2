package upload

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// idBytes is the randomness of an id.
const idBytes = 20

// newID returns a random id of lower-case letters and digits.
func newID() string {
	b := make([]byte, idBytes)
	_, _ = rand.Read(b) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

// grant is what a token permits: to upload one file until a time.
type grant struct {
	id, name, typ string
	size          int64
	until         int64 // Unix time
}

// mac signs the grant. None of its texts contains a NUL.
func (g grant) mac(key []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(strings.Join([]string{"upload", g.id, g.name, g.typ, strconv.FormatInt(g.size, 10), strconv.FormatInt(g.until, 10)}, "\x00")))
	return m.Sum(nil)
}

var base64URL = base64.RawURLEncoding

// token returns the value of the Authorization header of a slot: what the address does not say, and the signature.
func (g grant) token(key []byte) string {
	return "Bearer " + strings.Join([]string{
		strconv.FormatInt(g.size, 10), strconv.FormatInt(g.until, 10), base64URL.EncodeToString([]byte(g.typ)), base64URL.EncodeToString(g.mac(key)),
	}, ".")
}

// maxToken is more than the length of any token.
const maxToken = 512

// readToken returns the grant of a token for a file; false for one that is forged, changed, of another file, or too old.
func readToken(key []byte, header, id, name string, now time.Time) (grant, bool) {
	text, ok := strings.CutPrefix(header, "Bearer ")
	parts := strings.Split(text, ".")
	if !ok || len(text) > maxToken || len(parts) != 4 {
		return grant{}, false
	}
	size, err1 := strconv.ParseInt(parts[0], 10, 64)
	until, err2 := strconv.ParseInt(parts[1], 10, 64)
	typ, err3 := base64URL.DecodeString(parts[2])
	mac, err4 := base64URL.DecodeString(parts[3])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return grant{}, false
	}
	g := grant{id: id, name: name, typ: string(typ), size: size, until: until}
	if !hmac.Equal(mac, g.mac(key)) || now.Unix() > until { // hmac.Equal takes the same time for all of one length
		return grant{}, false
	}
	return g, true
}
