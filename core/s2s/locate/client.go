package locate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// Limits of one lookup.
const (
	answerTimeout = 2 * time.Second // of one resolver, which is asked twice
	maxAliases    = 8               // CNAME records that are followed
	maxRecords    = 64              // of one answer
	packetSize    = 1232            // bytes of a UDP answer: more might be fragmented
)

var (
	errAnswer  = errors.New("no resolver has answered")
	errAliases = errors.New("too many aliases")
)

// client is a source that sends DNS queries to the resolvers of the configuration.
type client struct {
	servers []server
	udp     dns.Client
	tcp     dns.Client
}

// server is a resolver.
type server struct {
	addr    string
	trusted bool // its AD bit, by which it says that DNSSEC has validated an answer, is believed
}

func newClient(resolvers []netip.AddrPort, trusted bool) *client {
	c := &client{
		udp: dns.Client{Net: "udp", Timeout: answerTimeout, UDPSize: packetSize},
		tcp: dns.Client{Net: "tcp", Timeout: answerTimeout},
	}
	for _, at := range resolvers {
		c.servers = append(c.servers, server{addr: at.String(), trusted: trusted || at.Addr().IsLoopback()})
	}
	return c
}

func (c *client) lookup(ctx context.Context, name string, k kind) (answer, time.Duration, error) {
	result := answer{secure: true}
	kept := maxKept
	for range maxAliases {
		reply, trusted, err := c.ask(ctx, name, k)
		if err != nil {
			return answer{}, 0, fmt.Errorf("look up %s: %w", name, err)
		}
		result.secure = result.secure && trusted && reply.AuthenticatedData
		next := result.add(reply, name, k)
		kept = min(kept, lifetime(reply, result.empty()))
		if next == name || !result.empty() {
			return result, max(kept, minKept), nil
		}
		name = next // the resolver has not followed the alias
	}
	return answer{}, 0, fmt.Errorf("look up %s: %w", name, errAliases)
}

// ask asks one resolver after the other until one answers, all of them twice.
func (c *client) ask(ctx context.Context, name string, k kind) (reply *dns.Msg, trusted bool, err error) {
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), uint16(k))
	question.SetEdns0(packetSize, true) // RFC 4035 §3.2.1: the signatures make resolvers validate
	question.AuthenticatedData = true   // RFC 6840 §5.7: the AD bit is wanted
	err = errAnswer
	for range 2 {
		for _, s := range c.servers {
			if ctx.Err() != nil {
				return nil, false, err
			}
			if reply, err = c.exchange(ctx, question, s.addr); err == nil {
				return reply, s.trusted, nil
			}
		}
	}
	return nil, false, err
}

// exchange asks one resolver. The answer is NOERROR or NXDOMAIN.
func (c *client) exchange(ctx context.Context, question *dns.Msg, addr string) (*dns.Msg, error) {
	question.Id = dns.Id()
	reply, _, err := c.udp.ExchangeContext(ctx, question, addr)
	if err == nil && reply.Truncated {
		reply, _, err = c.tcp.ExchangeContext(ctx, question, addr)
	}
	switch {
	case err != nil:
		return nil, err
	case !reply.Response || len(reply.Question) != 1 || reply.Question[0].Qtype != question.Question[0].Qtype ||
		!strings.EqualFold(reply.Question[0].Name, question.Question[0].Name):
		return nil, errAnswer
	case reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("the resolver answers %s", dns.RcodeToString[reply.Rcode])
	}
	return reply, nil
}

// add takes the records of a name from a reply, and returns the name at the end of its aliases.
func (a *answer) add(reply *dns.Msg, name string, k kind) string {
	records := reply.Answer[:min(len(reply.Answer), maxRecords)]
	for range maxAliases {
		next := name
		for _, r := range records {
			if alias, ok := r.(*dns.CNAME); ok && sameName(r.Header().Name, name) {
				next = plainName(alias.Target)
			}
		}
		if next == name {
			break
		}
		name = next
	}
	for _, r := range records {
		if r.Header().Rrtype == uint16(k) && sameName(r.Header().Name, name) {
			a.addRecord(r)
		}
	}
	return name
}

func (a *answer) addRecord(r dns.RR) {
	switch r := r.(type) {
	case *dns.A:
		if ip, ok := netip.AddrFromSlice(r.A); ok {
			a.ips = append(a.ips, ip.Unmap())
		}
	case *dns.AAAA:
		if ip, ok := netip.AddrFromSlice(r.AAAA); ok {
			a.ips = append(a.ips, ip)
		}
	case *dns.SRV:
		a.srv = append(a.srv, srvRecord(r))
	case *dns.TLSA:
		if record, ok := tlsaRecord(r); ok {
			a.tlsa = append(a.tlsa, record)
		}
	}
}

func (a *answer) empty() bool { return len(a.srv) == 0 && len(a.ips) == 0 && len(a.tlsa) == 0 }

func sameName(a, b string) bool { return strings.EqualFold(plainName(a), plainName(b)) }

// plainName is a name without the dot at its end. The root stays a dot.
func plainName(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// lifetime is how long a reply may be kept: for a name without records as its SOA record says (RFC 2308 §5).
func lifetime(reply *dns.Msg, none bool) time.Duration {
	if !none {
		kept := maxKept
		for _, r := range reply.Answer {
			kept = min(kept, time.Duration(r.Header().Ttl)*time.Second)
		}
		return kept
	}
	for _, r := range reply.Ns {
		if soa, ok := r.(*dns.SOA); ok {
			return min(time.Duration(min(soa.Minttl, soa.Hdr.Ttl))*time.Second, maxNegative)
		}
	}
	return minKept
}

func tlsaRecord(r *dns.TLSA) (t certificate.TLSA, ok bool) {
	t = certificate.TLSA{Usage: r.Usage, Selector: r.Selector, Matching: r.MatchingType}
	t.Data, ok = fromHex(r.Certificate)
	return t, ok
}
