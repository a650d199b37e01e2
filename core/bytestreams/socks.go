package bytestreams

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Values of RFC 1928.
const (
	version    = 5
	noAuth     = 0
	noMethod   = 0xff
	connect    = 1 // CMD
	domainName = 3 // ATYP
	succeeded  = 0 // REP, and so on
	notAllowed = 2
	badCommand = 7
	badAddress = 8
	hashLen    = 2 * sha1.Size
)

var errHandshake = errors.New("not a SOCKS5 handshake of a bytestream")

// Hash returns the address that stands for a stream (XEP-0065 §5.3.2): both JIDs as they are in the requests.
func Hash(sid string, requester, target jid.JID) string {
	sum := sha1.Sum([]byte(sid + requester.String() + target.String()))
	return hex.EncodeToString(sum[:])
}

// handshake reads the greeting and the request of a connection, and returns the hash. A refusal is written to the connection.
func handshake(c io.ReadWriter) (hash string, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil || head[0] != version || head[1] == 0 {
		return "", errHandshake
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(c, methods); err != nil {
		return "", errHandshake
	}
	if !slices.Contains(methods, noAuth) {
		_, _ = c.Write([]byte{version, noMethod})
		return "", errHandshake
	}
	if _, err := c.Write([]byte{version, noAuth}); err != nil {
		return "", err
	}
	var request [5]byte
	if _, err := io.ReadFull(c, request[:]); err != nil || request[0] != version || request[2] != 0 {
		return "", errHandshake
	}
	switch {
	case request[1] != connect:
		return "", refuse(c, badCommand)
	case request[3] != domainName || request[4] != hashLen:
		return "", refuse(c, badAddress)
	}
	var address [hashLen + 2]byte
	if _, err := io.ReadFull(c, address[:]); err != nil {
		return "", errHandshake
	}
	hash = strings.ToLower(string(address[:hashLen]))
	if _, err := hex.DecodeString(hash); err != nil {
		return "", refuse(c, badAddress)
	}
	return hash, nil
}

// refuse answers a request that is not carried out.
func refuse(c io.Writer, why byte) error {
	_, _ = c.Write([]byte{version, why, 0, 1, 0, 0, 0, 0, 0, 0})
	return errHandshake
}

// accept answers a request with its own address and port (XEP-0065 §5.3.2).
func accept(c io.Writer, hash string) error {
	var b bytes.Buffer
	b.Write([]byte{version, succeeded, 0, domainName, byte(len(hash))})
	b.WriteString(hash)
	b.Write([]byte{0, 0})
	_, err := c.Write(b.Bytes())
	return err
}
