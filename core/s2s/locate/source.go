package locate

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// kind is a type of DNS record.
type kind uint16

// The types that are asked for (RFC 1035, 3596, 2782, 6698).
const (
	kindA    kind = 1
	kindAAAA kind = 28
	kindSRV  kind = 33
	kindTLSA kind = 52
)

// answer has the records of one name and type; none if there are none, or the name does not exist.
type answer struct {
	srv    []net.SRV
	ips    []netip.Addr
	tlsa   []certificate.TLSA
	secure bool // validated with DNSSEC
}

// source asks DNS.
type source interface {
	// lookup returns the records of a name, without a dot at its end, and how long they may be kept.
	lookup(ctx context.Context, name string, k kind) (answer, time.Duration, error)
}

// lookup asks DNS, or the cache.
func (l *Locator) lookup(ctx context.Context, name string, k kind) (answer, error) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return l.records.get(ctx, string(rune(k))+name, func(ctx context.Context) (answer, time.Duration, error) {
		return l.source.lookup(ctx, name, k)
	})
}

// system is the resolver of the operating system. It tells neither times to live nor the result of DNSSEC.
type system struct {
	*net.Resolver
}

// systemKept is how long answers are kept whose time to live is not known.
const systemKept = time.Minute

func (s system) lookup(ctx context.Context, name string, k kind) (a answer, kept time.Duration, err error) {
	switch k {
	case kindSRV:
		var all []*net.SRV
		_, all, err = s.LookupSRV(ctx, "", "", name+".")
		for _, one := range all {
			a.srv = append(a.srv, *one)
		}
		if len(all) > 0 {
			err = nil // some records were not valid
		}
	case kindA:
		a.ips, err = s.LookupNetIP(ctx, "ip4", name+".")
	case kindAAAA:
		a.ips, err = s.LookupNetIP(ctx, "ip6", name+".")
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		err = nil
	}
	return a, systemKept, err
}
