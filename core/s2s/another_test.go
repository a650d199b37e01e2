package s2s

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// several is a Dialer that knows several servers of each domain, and goes on to the next one when one has failed.
type several struct {
	*network
	mu    sync.Mutex
	bad   []string // addresses of servers that are tried before the good one
	tried int
}

func (s *several) Dial(ctx context.Context, domain string) (*Target, error) {
	s.mu.Lock()
	n := s.tried
	s.mu.Unlock()
	if n >= len(s.bad) {
		return s.network.Dial(ctx, domain)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.bad[n])
	if err != nil {
		return nil, err
	}
	return &Target{Conn: c, DirectTLS: true, Address: s.bad[n], Failed: func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tried++
		return true
	}}, nil
}

// TestAnotherServer goes on to the next server of a domain if no stream can be negotiated with one, and returns nothing to the senders.
func TestAnotherServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close() // no TLS here
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	bad := l.Addr().String()
	n := newNetwork(t)
	b := newNode(t, n, "b.test", nil)
	for name, c := range map[string]struct {
		bad  []string
		want bool
	}{"one": {[]string{bad}, true}, "as many as are tried": {[]string{bad, bad, bad}, true}, "too many": {[]string{bad, bad, bad, bad}, false}} {
		domain := "a" + string(rune('0'+len(c.bad))) + ".test"
		a := newNode(t, n, domain, func(o *Config) { o.Dialer = &several{network: n, bad: c.bad} })
		a.send("juliet@b.test", "romeo@"+domain+"/x", name)
		if c.want {
			b.wants("romeo@"+domain+"/x", name)
		} else {
			a.wantsError(name, "remote-server-timeout")
		}
		rawstream.Eventually(t, "no attempt is counted", func() bool { return a.server.opening.attempts.Load() == 0 })
		a.quiet()
	}
}

// TestPublishedEvidence accepts the certificate of a server that connects if the domain has published it, and refuses one that TLSA
// records do not name, although dialback would do.
func TestPublishedEvidence(t *testing.T) { // checklist 106
	t.Parallel()
	n := newNetwork(t)
	own := newAuthority(t).sign(t, nil, "a.test")
	key := certificate.TLSA{Usage: 3, Data: own.Certificate[0]} // DANE-EE, the whole certificate
	a := newNode(t, n, "a.test", func(c *Config) { c.Certificates = func(string) (*tls.Certificate, error) { return own, nil } })
	b := newNode(t, n, "b.test", func(c *Config) {
		c.Policy.Default.Certificates = true
		c.Evidence = func(string) certificate.Evidence {
			return certificate.Evidence{Initiator: true, Lookup: func() certificate.Evidence { return certificate.Evidence{TLSA: []certificate.TLSA{key}} }}
		}
	})
	a.send("juliet@b.test", "romeo@a.test/x", "known")
	b.wants("romeo@a.test/x", "known")
	c := newNode(t, n, "c.test", func(c *Config) { c.Dialer = withTLSA{n, certificate.TLSA{Usage: 3, Data: []byte("another")}} })
	c.send("romeo@a.test", "tybalt@c.test/x", "refused")
	c.wantsError("refused", "remote-server-not-found")
	a.quiet()
}

// withTLSA is a Dialer that knows a TLSA record of each server.
type withTLSA struct {
	*network
	record certificate.TLSA
}

func (w withTLSA) Dial(ctx context.Context, domain string) (*Target, error) {
	target, err := w.network.Dial(ctx, domain)
	if err == nil {
		target.Evidence.TLSA = []certificate.TLSA{w.record}
	}
	return target, err
}
