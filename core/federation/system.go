package federation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/s2s"
)

// systemDialer finds servers with the resolver of the system (RFC 6120 §3.2).
type systemDialer struct{}

func (systemDialer) Dial(ctx context.Context, domain string) (*s2s.Target, error) {
	type candidate struct{ host, port string }
	var list []candidate
	_, records, err := net.DefaultResolver.LookupSRV(ctx, "xmpp-server", "tcp", domain)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsNotFound {
		return nil, fmt.Errorf("look up %s: %w", domain, err)
	}
	for _, r := range records {
		list = append(list, candidate{strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))})
	}
	if len(list) == 1 && list[0].host == "" {
		return nil, s2s.ErrNotFound // RFC 2782: not offered
	}
	if len(list) == 0 {
		list = append(list, candidate{domain, "5269"})
	}
	for _, c := range list {
		var conn net.Conn
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.host, c.port)); err == nil {
			return &s2s.Target{Conn: conn, Address: net.JoinHostPort(c.host, c.port)}, nil
		}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil, fmt.Errorf("%w: %w", s2s.ErrNotFound, err)
	}
	return nil, err
}
