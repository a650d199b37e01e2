package websocket

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 §4.2.2 names it, and no secret depends on it
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// Subprotocol is the name of XMPP (RFC 7395 §3.1).
	Subprotocol = "xmpp"

	version   = "13"                                   // RFC 6455 §4.1
	keyGUID   = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 §1.3
	keyBytes  = 16                                     // RFC 6455 §4.1
	replyTime = 10 * time.Second                       // for the answer
)

// errRequest is wrapped by the errors of Upgrade that the client has been answered.
var errRequest = errors.New("no WebSocket for XMPP")

// Upgrade changes the connection of a request to a WebSocket (RFC 6455 §4.2). If it returns an error, it has answered the request or the
// connection is gone. Whether the origin of the request may connect is for the caller to decide.
func Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	key, status, why := check(r)
	if status != 0 {
		if status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
		}
		if status == http.StatusBadRequest {
			w.Header().Set("Sec-WebSocket-Version", version) // RFC 6455 §4.4
		}
		http.Error(w, why, status)
		return nil, fmt.Errorf("%w: %s", errRequest, why)
	}
	nc, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "not on this connection", http.StatusInternalServerError)
		return nil, fmt.Errorf("take over the connection: %w", err)
	}
	early := make([]byte, buffered.Reader.Buffered())
	_, _ = buffered.Read(early) // it has them
	_ = nc.SetDeadline(time.Now().Add(replyTime))
	_, err = nc.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		accept(key) + "\r\nSec-WebSocket-Protocol: " + Subprotocol + "\r\n\r\n"))
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("answer the handshake: %w", err)
	}
	return newConn(nc, early), nil
}

// check returns the key of a handshake, or the status and the text that refuse it.
func check(r *http.Request) (key string, status int, why string) {
	key = strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key"))
	raw, err := base64.StdEncoding.DecodeString(key)
	switch {
	case r.ProtoMajor != 1 || r.ProtoMinor < 1 || !hasToken(r, "Connection", "upgrade") || !hasToken(r, "Upgrade", "websocket"):
		return "", http.StatusUpgradeRequired, "this address is for XMPP clients over WebSocket (RFC 7395)"
	case r.Method != http.MethodGet || r.ContentLength != 0:
		return "", http.StatusBadRequest, "a WebSocket begins with GET and no body"
	case r.Header.Get("Sec-WebSocket-Version") != version:
		return "", http.StatusBadRequest, "the version of WebSocket must be " + version
	case len(r.Header.Values("Sec-WebSocket-Key")) != 1 || err != nil || len(raw) != keyBytes:
		return "", http.StatusBadRequest, "bad Sec-WebSocket-Key"
	case !hasToken(r, "Sec-WebSocket-Protocol", Subprotocol): // RFC 7395 §3.1
		return "", http.StatusBadRequest, "the subprotocol must be " + Subprotocol
	}
	return key, 0, ""
}

// hasToken reports whether one of the comma-separated values of a header is the token.
func hasToken(r *http.Request, name, wanted string) bool {
	for _, line := range r.Header.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), wanted) {
				return true
			}
		}
	}
	return false
}

// accept returns the answer to a key (RFC 6455 §4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(key + keyGUID)) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}
