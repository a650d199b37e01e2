package component

import (
	"crypto/sha1"
	"encoding/hex"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Timeouts and limits that no setting changes.
const (
	defaultWait        = 15 * time.Second // from connecting to the end of the handshake
	defaultIdle        = 5 * time.Minute  // silence before a ping, and then before the stream ends
	defaultBytes       = 512 << 10        // of a stanza
	defaultQueue       = 16 << 20         // bytes that may be unwritten
	defaultRate        = 32 << 20         // bytes a second that a component may send
	minBurst           = 64 << 10         // bytes that it may send at once whatever its rate: more than one read returns
	syncTime           = time.Second      // for which a component that is not read from is waited for at a time
	stopTime           = 10 * time.Second // for all components to end their streams
	drainTime          = 5 * time.Second  // of a link that stops, to send queued stanzas
	maxHandshaking     = 64               // connections that have not authenticated
	defaultConnections = 100              // from one address
	defaultArrivals    = 20               // new connections a second from one address
	defaultTries       = 20               // wrong secrets a minute
	handshakeStanzas   = 3                // what such a connection may send, in elements of the maximum size
	maxRetained        = 16 << 10         // stanzas retained by a link's connection
	maxRetainedPayload = 8 << 20          // their bytes
)

const nsPing = "urn:xmpp:ping"

var (
	errLate      = stream.NewError(stream.ConnectionTimeout, "no answer")
	errFlood     = stream.NewError(stream.PolicyViolation, "too much before the handshake")
	errConflict  = stream.NewError(stream.Conflict, "component is connected elsewhere")
	errTooMany   = stream.NewError(stream.ResourceConstraint, "too many connections from your address")
	errDisplaced = stream.NewError(stream.ResourceConstraint, "too many connections without a handshake")
	errGuesses   = stream.NewError(stream.ResourceConstraint, "too many wrong secrets just now")
)

// handshake returns the proof that a component knows the secret: hex(SHA-1(stream id + secret)), XEP-0114 §3.
func handshake(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret))
	return hex.EncodeToString(sum[:])
}

// newPing asks a silent peer for an answer (XEP-0199).
func newPing(to, from jid.JID) *stanza.Stanza {
	return stanza.NewIQ(to, from, stanza.TypeGet, stanza.NewElement(nsPing, "ping"))
}
