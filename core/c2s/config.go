package c2s

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Timeouts and limits that no setting changes.
const (
	syncTime       = 200 * time.Millisecond // of one wait for a client to read, after which Stop is checked
	maxBeforeLogin = 60                     // first-level elements before a session is bound
	maxWaiting     = 1000                   // stanzas of a session that has no connection
)

// Conflict is what happens when a client asks for a resource that is in use.
type Conflict uint8

// The policies of RFC 6120 §7.7.2.2.
const (
	Replace Conflict = iota // the old session is ended: it is probably dead
	Reject                  // the new one gets an error
	Rename                  // the new one gets another resource
)

// Limits limit what clients can make the server do. Fields that are zero have the value of
// DefaultLimits, negative ones mean no limit where the comment allows that.
type Limits struct {
	BeforeLogin stream.Limits
	Stanza      stream.Limits
	Rate        int           // average bytes a second; negative: none
	Burst       int           // bytes at once
	Queue       int           // bytes that may be unwritten
	Connections int           // from one address; negative: none
	Arrivals    int           // new connections a second from one address; negative: none
	Sessions    int           // of one account; negative: none
	Recipients  int           // addresses that a session writes to in a minute; negative: none
	Pending     int           // connections that have not logged in, from all addresses; negative: none
	Idle        time.Duration // silence before a ping, and then before the stream ends
	Fragments   int           // frames of a message over WebSocket
	LoginLimits
	SessionLimits
}

// SessionLimits limit what is kept for a session.
type SessionLimits struct {
	Unacked       int           // stanzas that the client has not acknowledged
	UnackedBytes  int           // their size
	Detached      int           // sessions of one account that have no connection and can be resumed; negative: none
	InactiveQueue int           // stanzas that are held for an inactive client
	Resume        time.Duration // how long a session can be resumed; negative: it cannot
}

// LoginLimits limit what clients can do before they have logged in.
type LoginLimits struct {
	Tries        int           // failed logins a minute from one address; negative: none
	AccountTries int           // failed logins a minute of one account from all addresses; negative: none
	TLSWait      time.Duration // from connecting to TLS
	LoginWait    time.Duration // from connecting to a bound session
}

// DefaultLimits are those of a server on the open internet.
func DefaultLimits() Limits {
	stanzas := stream.ForClients()
	stanzas.Attrs = 128
	return Limits{
		BeforeLogin: stream.BeforeLogin(), Stanza: stanzas,
		Rate: 16 << 10, Burst: 256 << 10, Queue: 1 << 20,
		Connections: 100, Arrivals: 20, Sessions: 10, Recipients: 1000, Pending: 2000, Idle: 6 * time.Minute, Fragments: 8,
		LoginLimits:   LoginLimits{Tries: 20, AccountTries: 20, TLSWait: 30 * time.Second, LoginWait: 60 * time.Second},
		SessionLimits: SessionLimits{Unacked: 500, UnackedBytes: 1 << 20, Detached: 10, InactiveQueue: 500, Resume: 10 * time.Minute},
	}
}

func (l Limits) filled() Limits {
	d := DefaultLimits()
	return Limits{
		BeforeLogin: l.BeforeLogin.Or(d.BeforeLogin), Stanza: l.Stanza.Or(d.Stanza),
		Rate: cmp.Or(l.Rate, d.Rate), Burst: cmp.Or(l.Burst, d.Burst), Queue: cmp.Or(l.Queue, d.Queue),
		Connections: cmp.Or(l.Connections, d.Connections), Arrivals: cmp.Or(l.Arrivals, d.Arrivals),
		Sessions: cmp.Or(l.Sessions, d.Sessions), Recipients: cmp.Or(l.Recipients, d.Recipients), Pending: cmp.Or(l.Pending, d.Pending),
		Idle: cmp.Or(l.Idle, d.Idle), Fragments: cmp.Or(l.Fragments, d.Fragments),
		LoginLimits: LoginLimits{
			Tries: cmp.Or(l.Tries, d.Tries), AccountTries: cmp.Or(l.AccountTries, d.AccountTries),
			TLSWait: cmp.Or(l.TLSWait, d.TLSWait), LoginWait: cmp.Or(l.LoginWait, d.LoginWait),
		},
		SessionLimits: SessionLimits{
			Unacked: cmp.Or(l.Unacked, d.Unacked), UnackedBytes: cmp.Or(l.UnackedBytes, d.UnackedBytes), Detached: cmp.Or(l.Detached, d.Detached),
			InactiveQueue: cmp.Or(l.InactiveQueue, d.InactiveQueue), Resume: cmp.Or(l.Resume, d.Resume),
		},
	}
}

// Host configures a served host.
type Host struct {
	Router *router.Host
	SASL   *sasl.Server
	// Temporary, which may be nil, makes accounts for clients that have none.
	Temporary Temporary
	// LoggedIn, which may be nil, is told of each client that has logged in by SASL2. It does not block.
	LoggedIn func(sasl.Identity, sasl.UserAgent)
	// Features are offered after login, besides binding (such as roster versions).
	Features []*stanza.Element
	// FeaturesBeforeLogin are offered before login, besides mechanisms (such as registration).
	FeaturesBeforeLogin []*stanza.Element
	// BeforeLogin answers an IQ of a connection that has not logged in; nil sends
	// nothing. If it is not set, such an IQ ends the stream.
	BeforeLogin func(ctx context.Context, who *router.Unauthenticated, iq *stanza.Stanza) *stanza.Stanza
}

// Temporary makes accounts that exist as long as one connection (XEP-0175). Such an account has one session, which cannot be resumed:
// a client that logs in again cannot prove that it is the same one.
type Temporary interface {
	// Begin makes an account for a client at an address; false if there are too many from there.
	Begin(from netip.Addr) (account jid.JID, ok bool)
	// End is called when the connection and its session have ended.
	End(account jid.JID)
}

// Config configures a Server.
type Config struct {
	Hosts []Host // the first one answers streams to an unknown host
	// Gone are domains that were served earlier; their streams are refused with host-gone (RFC 6120 §4.9.3.5).
	Gone []jid.JID
	// Certificates may be nil, and then there is no TLS.
	Certificates       socket.Certificates
	ClientCertificates ClientCertificates
	// Pace, which may be nil, is called before each read from a client: it may block, at most
	// until stop is closed.
	Pace func(stop <-chan struct{})
	// Plain lets clients log in without TLS. PLAIN is never offered to those.
	Plain    bool
	Conflict Conflict
	Limits   Limits
	Resumption
	Log *slog.Logger
}

// Resumption says how sessions that can be resumed are stored (XEP-0198); without a Store they end with the process.
type Resumption struct {
	Sessions resumption.Store
	Archive  resumption.Archive
	Location string // where clients should resume: a domain or an address, with or without a port
}

func (c *Config) check() error {
	if len(c.Hosts) == 0 {
		return fmt.Errorf("clients: no host")
	}
	seen := map[jid.JID]bool{}
	for _, h := range c.Hosts {
		switch {
		case h.Router == nil || h.SASL == nil:
			return fmt.Errorf("clients: host without router or SASL")
		case seen[h.Router.Domain()]:
			return fmt.Errorf("clients: host %s twice", h.Router.Domain())
		}
		seen[h.Router.Domain()] = true
	}
	if c.Certificates == nil && !c.Plain {
		return fmt.Errorf("clients: TLS is required and there is no certificate")
	}
	if c.Limits.Stanza.Bytes != 0 && c.Limits.Stanza.Bytes < 10_000 {
		return fmt.Errorf("clients: stanzas of %d bytes; RFC 6120 §13.12 requires 10,000 at least", c.Limits.Stanza.Bytes)
	}
	return nil
}
