package locate

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// host is where a server of a domain may be.
type host struct {
	name     string       // to be resolved
	ips      []netip.Addr // instead of a name
	port     uint16
	direct   bool // TLS begins at once
	secure   bool // DNSSEC protects the SRV record that names the host
	evidence certificate.Evidence
}

// hosts returns where the servers of a domain are, in the order in which they are tried.
func (l *Locator) hosts(ctx context.Context, domain string) ([]host, error) {
	if ip, err := netip.ParseAddr(domain); err == nil {
		return []host{{ips: []netip.Addr{ip}, port: uint16(l.options.port)}}, nil
	}
	type result struct {
		answer answer
		err    error
	}
	direct := make(chan result, 1)
	l.all.Go(func() {
		a, err := l.lookup(ctx, serviceDirect+domain, kindSRV)
		direct <- result{a, err}
	})
	starttls, err := l.lookup(ctx, serviceServer+domain, kindSRV)
	tls := <-direct
	found := order(append(offered(starttls, false), offered(tls.answer, true)...))
	switch {
	case len(found) > 0:
		return found[:min(len(found), maxHosts)], nil
	case err != nil:
		return nil, err // RFC 7673 §3.1: whoever can suppress records does not make us take others
	case tls.err != nil:
		return nil, tls.err
	case len(starttls.srv)+len(tls.answer.srv) > 0:
		return nil, fmt.Errorf("%w: its SRV records say that it offers none", s2s.ErrNotFound) // RFC 6120 §3.2.1, XEP-0368 §3
	}
	return l.hostsWithoutSRV(ctx, domain)
}

// hostsWithoutSRV returns those that host-meta-2 names, or the domain itself (RFC 6120 §3.2.2).
func (l *Locator) hostsWithoutSRV(ctx context.Context, domain string) ([]host, error) {
	if found := order(l.hostMeta(ctx, domain)); len(found) > 0 {
		return found[:min(len(found), maxHosts)], nil
	}
	return []host{{name: domain, port: uint16(l.options.port)}}, nil
}

// weighed is a host with what orders it.
type weighed struct {
	host
	priority, weight uint16
}

// offered returns the hosts of SRV records. A dot says that there is none (RFC 2782).
func offered(a answer, direct bool) (all []weighed) {
	for _, r := range a.srv[:min(len(a.srv), maxRecords)] {
		name, err := certificate.ASCII(r.Target)
		if r.Target == "." || r.Port == 0 || err != nil {
			continue
		}
		one := weighed{host{name: name, port: r.Port, direct: direct, secure: a.secure}, r.Priority, r.Weight}
		if a.secure {
			one.evidence.Names = []string{name} // RFC 7673 §4.1
		}
		all = append(all, one)
	}
	return all
}

// order sorts hosts by priority, and those of one priority at random by their weight (RFC 2782), both services together (XEP-0368 §2).
func order(all []weighed) (sorted []host) {
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(a.priority, b.priority) })
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].priority == all[0].priority {
			n++
		}
		for same := all[:n]; len(same) > 0; {
			i := choose(same)
			sorted = append(sorted, same[i].host)
			same = slices.Delete(same, i, i+1)
		}
		all = all[n:]
	}
	return sorted
}

// choose returns the index of one at random. Those of weight zero have a very small chance.
func choose(same []weighed) int {
	const scale = 1000
	total := uint64(0)
	for _, w := range same {
		total += uint64(w.weight)*scale + 1
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	at := binary.BigEndian.Uint64(random[:]) % total
	for i, w := range same {
		part := uint64(w.weight)*scale + 1
		if at < part {
			return i
		}
		at -= part
	}
	return len(same) - 1
}

func srvRecord(r *dns.SRV) net.SRV {
	return net.SRV{Target: r.Target, Port: r.Port, Priority: r.Priority, Weight: r.Weight}
}

func fromHex(text string) ([]byte, bool) {
	b, err := hex.DecodeString(text)
	return b, err == nil
}
