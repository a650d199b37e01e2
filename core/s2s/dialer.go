package s2s

import (
	"context"
	"errors"
	"net"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// Dialer finds the servers of domains and connects to them.
type Dialer interface {
	// Dial returns a connection to a server of the domain, on which nothing was sent. Its error wraps ErrNotFound if the domain has no server.
	Dial(ctx context.Context, domain string) (*Target, error)
}

// Target is a connection to a server of a domain.
type Target struct {
	Conn      net.Conn
	DirectTLS bool                 // TLS begins at once (XEP-0368)
	Address   string               // for the log
	Evidence  certificate.Evidence // what the domain publishes about its certificate

	// Failed, which may be nil, is called if no stream could be negotiated. It reports whether a further Dial may find another server. It must
	// not block.
	Failed func() bool
}

// ErrNotFound is wrapped by the errors of a Dialer if a domain does not exist or offers no server.
var ErrNotFound = errors.New("the domain has no XMPP server")
