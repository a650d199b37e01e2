package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Federation is section [federation].
type Federation struct {
	Enabled     string   `toml:"enabled" doc:"Whether the server communicates with other servers: 'yes', 'no', or 'automatic', which is yes if section tls names a certificate."`
	TLS         bool     `toml:"require_tls" reload:"yes" doc:"Whether connections with other servers must use TLS."`
	Certificate bool     `toml:"require_certificate" reload:"yes" doc:"Whether other servers must have a valid certificate for their domain. Otherwise dialback (XEP-0220) is enough, which relies on DNS."`
	Allow       []string `toml:"allow" reload:"yes" doc:"The only domains, with those below them, that the server communicates with. Empty: all. Access of a [[federation_domain]] counts before allow and block."`
	Block       []string `toml:"block" reload:"yes" doc:"Domains, with those below them, that the server does not communicate with. If allow and block both name a domain or one above it, the longer name counts, and block if it is the same."`
	Roots       string   `toml:"roots" file:"yes" doc:"PEM file of the authorities that sign certificates of other servers. Empty: those that the system trusts."`

	CRL []string `toml:"crl" file:"yes" doc:"Files with lists of the certificates that these authorities, and those below them, have revoked (CRL), in PEM or DER form. They are read again when they have changed, and count when a connection begins: a server with such a certificate has no valid one. Certificates about which no list says anything are accepted. Empty: none are read."`

	Resolvers []string `toml:"resolvers" doc:"DNS servers that are asked where other servers are, as address or address and port, such as 127.0.0.1 or [::1]:53. Empty: those of the system, without DNSSEC."`
	DNSSEC    bool     `toml:"dnssec" doc:"Whether these DNS servers are trusted when they say that they have validated an answer with DNSSEC. Those on this machine always are. Trust others only over a network in which nobody can change their answers."`
	DANE      bool     `toml:"dane" doc:"Whether the TLSA records (DANE) of another server decide if its certificate is valid, where DNSSEC protects them."`
	Documents bool     `toml:"documents" doc:"Whether the server reads the documents that domains publish over HTTPS: where their servers are, if there are no SRV records (XEP-0487), and which certificates these have (POSH), if they are not valid otherwise."`
	Networks  []string `toml:"networks" doc:"Networks that are not public, such as 10.0.0.0/8, to whose addresses the server may connect. Whoever controls a domain can make it point to any address in them."`

	Bidirectional string `toml:"bidirectional" reload:"yes" doc:"Whether one connection is used in both directions (XEP-0288): 'accept' where the other server asks for it, 'ask' that this server asks for it, too, or 'no'. Such a stream cannot be resumed: after a cut some stanzas may come twice."`

	PublishConnections Duration `toml:"publish_connections" doc:"How often each host publishes, at the node 'serverinfo' of its publish-subscribe service, with which domains it is connected (XEP-0485), for maps of the network. Only domains that publish theirs are named. 0: never."`

	StanzaBytes    Bytes    `toml:"stanza_bytes" reload:"yes" doc:"Size of another server's stanza; depth and attributes are those of clients."`
	StanzaElements int      `toml:"stanza_elements" reload:"yes" doc:"Elements in another server's stanza."`
	StanzaTime     Duration `toml:"stanza_time" reload:"yes" doc:"How long another server may take to send one stanza, and to take what this server writes at once. Only the time counts in which this server waits for it."`
	Rate           Bytes    `toml:"rate" reload:"yes" doc:"Bytes a second that one connection of another server may send in the long run; more is read more slowly. 0: no limit."`
	Burst          Bytes    `toml:"burst" reload:"yes" doc:"Bytes that it may send at once."`
	Queue          Bytes    `toml:"queue" reload:"yes" doc:"Bytes that wait for another server that reads slowly, or that it has not acknowledged. With more, stanzas go back to their senders, or the connection is closed."`
	Queues         Bytes    `toml:"queues" reload:"yes" doc:"Bytes that all other servers together may have in these queues. With more, stanzas for those servers go back to their senders that use more than an equal share. 0: no limit."`
	WaitingStanzas int      `toml:"waiting_stanzas" reload:"yes" doc:"Stanzas from one domain to another that wait until the other server is connected; with more, or when it cannot be reached, their senders get them back as errors."`
	WaitingBytes   Bytes    `toml:"waiting_bytes" reload:"yes" doc:"Bytes of these stanzas."`
	Durable        bool     `toml:"durable" reload:"yes" doc:"Whether messages are kept in the database until the other server has acknowledged them, so that the end of the process does not lose them. What the sender's client may lose (XEP-0334), and messages of rooms to their occupants, are not."`
	OutboxStanzas  int      `toml:"outbox_stanzas" reload:"yes" doc:"Messages from one domain to another that are kept so. With more, their senders get them back as errors. 0: no limit."`
	OutboxBytes    Bytes    `toml:"outbox_bytes" reload:"yes" doc:"Bytes of these messages. 0: no limit."`
	OutboxTotal    Bytes    `toml:"outbox_total" reload:"yes" doc:"Bytes of the messages of all domains that are kept so. With more, the senders get them back whose pair of domains would have more than an equal share. 0: no limit."`
	Attempts       int      `toml:"attempts" reload:"yes" doc:"Connections to other servers that are being opened at the same time; further ones fail at once. 0: no limit."`
	Wait           Duration `toml:"wait" reload:"yes" doc:"How long it may take to connect to another server, and how long another server may take to prove who it is."`
	Resume         Duration `toml:"resume" reload:"yes" doc:"Time for which a stream that was cut can be resumed, so that nothing is sent twice (XEP-0198). Such a stream is for one domain of each side. 0: streams cannot be resumed, and carry several domains."`
	Idle           Duration `toml:"idle" reload:"yes" doc:"How long a connection to another server stays open that is not used."`
}

// FederationDomain is one [[federation_domain]].
type FederationDomain struct {
	Domain      string `toml:"domain" reload:"yes" doc:"The domain; the settings are for those below it, too, unless a row names one of them."`
	Access      string `toml:"access" reload:"yes" doc:"Whether the server communicates with it, whatever federation.allow and federation.block say: 'allow' or 'block'. Empty: as they say."`
	Plain       bool   `toml:"plain" reload:"yes" doc:"Whether its servers may do without TLS."`
	Certificate bool   `toml:"require_certificate" reload:"yes" doc:"Whether its servers must have a valid certificate."`
	Address     string `toml:"address" reload:"yes" doc:"Where its server is (host and port), whatever DNS says: for networks without DNS. Only for the domain itself."`
	StanzaBytes Bytes  `toml:"stanza_bytes" reload:"yes" doc:"Size of its stanzas. 0: federation.stanza_bytes."`
	Rate        Bytes  `toml:"rate" reload:"yes" doc:"Bytes a second that all its connections together may send in the long run, beside the limit of section federation for each of them. 0: no further limit."`
	StanzaRate  int    `toml:"stanza_rate" reload:"yes" doc:"Stanzas a second that all its connections together may send in the long run; five seconds' worth may come at once. 0: no limit."`
	DirectTLS   bool   `toml:"direct_tls" reload:"yes" doc:"Whether TLS begins at once there (XEP-0368)."`
}

func defaultFederation() Federation {
	return Federation{
		Enabled: "automatic", TLS: true, DANE: true, Documents: true, Bidirectional: "accept", StanzaBytes: 512 << 10, StanzaElements: 8000, StanzaTime: Duration(time.Minute), Rate: 100 << 10, Burst: 1 << 20, Queue: 16 << 20, Queues: 256 << 20,
		Durable: true, OutboxStanzas: 20_000, OutboxBytes: 16 << 20, OutboxTotal: 256 << 20, WaitingStanzas: 1000, WaitingBytes: 1 << 20, Attempts: 4000, Wait: Duration(time.Minute), Resume: Duration(5 * time.Minute), Idle: Duration(10 * time.Minute),
	}
}

// Federates reports whether the server communicates with other servers.
func (c *Config) Federates() bool {
	return c.Federation.Enabled == "yes" || c.Federation.Enabled == "automatic" && c.TLS.Certificate != ""
}

func (f *Federation) validate(p *Problems) {
	if !slices.Contains([]string{"yes", "no", "automatic"}, f.Enabled) {
		p.add("federation.enabled", "%q is not yes, no or automatic", f.Enabled)
	}
	if !slices.Contains([]string{"accept", "ask", "no"}, f.Bidirectional) {
		p.add("federation.bidirectional", "%q is not accept, ask or no", f.Bidirectional)
	}
	for _, list := range []struct {
		path string
		all  []string
	}{{"federation.allow", f.Allow}, {"federation.block", f.Block}} {
		for _, d := range list.all {
			domain(p, list.path, d)
		}
	}
	certificates(p, "federation.roots", f.Roots)
	for _, file := range f.CRL {
		revocationLists(p, "federation.crl", file)
	}
	f.validateDNS(p)
	if f.StanzaBytes < minStanza || f.StanzaBytes > 64<<20 { // RFC 6120 §13.12
		p.add("federation.stanza_bytes", "%s is not between %d bytes and 64 MiB", f.StanzaBytes, minStanza)
	}
	for path, n := range map[string]int64{
		"federation.stanza_elements": int64(f.StanzaElements), "federation.waiting_stanzas": int64(f.WaitingStanzas), "federation.waiting_bytes": int64(f.WaitingBytes),
		"federation.wait": int64(f.Wait), "federation.idle": int64(f.Idle), "federation.stanza_time": int64(f.StanzaTime),
	} {
		positive(p, path, n)
	}
	if f.Resume > Duration(24*time.Hour) {
		p.add("federation.resume", "%s is more than 24 hours", time.Duration(f.Resume))
	}
	if f.PublishConnections < 0 || f.PublishConnections > 0 && f.PublishConnections < Duration(time.Second) {
		p.add("federation.publish_connections", "%s is less than a second", time.Duration(f.PublishConnections))
	}
	if f.OutboxStanzas < 0 {
		p.add("federation.outbox_stanzas", "%d is negative", f.OutboxStanzas)
	}
	if f.OutboxTotal > 0 && f.OutboxTotal < f.OutboxBytes {
		p.add("federation.outbox_total", "%s is less than federation.outbox_bytes (%s)", f.OutboxTotal, f.OutboxBytes)
	}
	if f.Attempts < 0 {
		p.add("federation.attempts", "%d is negative", f.Attempts)
	}
	if f.Rate > 0 && f.Burst < f.StanzaBytes {
		p.add("federation.burst", "%s is less than federation.stanza_bytes (%s), so the largest stanza could never pass", f.Burst, f.StanzaBytes)
	}
	if f.Queue < f.StanzaBytes+f.WaitingBytes {
		p.add("federation.queue", "%s is less than federation.waiting_bytes and federation.stanza_bytes together (%s)", f.Queue, f.StanzaBytes+f.WaitingBytes)
	}
	if f.Queues > 0 && f.Queues < f.Queue {
		p.add("federation.queues", "%s is less than federation.queue (%s)", f.Queues, f.Queue)
	}
}

func (f *Federation) validateDNS(p *Problems) {
	if _, err := f.ResolverAddresses(); err != nil {
		p.add("federation.resolvers", "%v", err)
	}
	if _, err := f.NetworkPrefixes(); err != nil {
		p.add("federation.networks", "%v", err)
	}
	if f.DNSSEC && len(f.Resolvers) == 0 {
		p.add("federation.dnssec", "the DNS servers of the system say nothing about DNSSEC: name them in federation.resolvers")
	}
}

// ResolverAddresses returns the addresses of resolvers.
func (f *Federation) ResolverAddresses() (all []netip.AddrPort, err error) {
	for _, text := range f.Resolvers {
		if ip, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.AddrPortFrom(ip, 53))
			continue
		}
		at, err := netip.ParseAddrPort(text)
		if err != nil || at.Port() == 0 {
			return nil, fmt.Errorf("%q is not an address such as 127.0.0.1 or [::1]:53", text)
		}
		all = append(all, at)
	}
	return all, nil
}

// NetworkPrefixes returns networks.
func (f *Federation) NetworkPrefixes() (all []netip.Prefix, err error) {
	for _, text := range f.Networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.0.0.0/8", text)
		}
		all = append(all, network)
	}
	return all, nil
}

func (d *FederationDomain) validate(p *Problems, path string) {
	domain(p, path+".domain", d.Domain)
	if !slices.Contains([]string{"", "allow", "block"}, d.Access) {
		p.add(path+".access", "%q is not allow, block or empty", d.Access)
	}
	if d.StanzaBytes != 0 && (d.StanzaBytes < minStanza || d.StanzaBytes > 64<<20) { // RFC 6120 §13.12
		p.add(path+".stanza_bytes", "%s is not between %d bytes and 64 MiB", d.StanzaBytes, minStanza)
	}
	if d.StanzaRate < 0 || d.StanzaRate > 1_000_000 {
		p.add(path+".stanza_rate", "%d is not between 0 and 1,000,000", d.StanzaRate)
	}
	if d.Address == "" {
		return
	}
	if host, port, err := net.SplitHostPort(d.Address); err != nil || host == "" || port == "" || port == "0" {
		p.add(path+".address", "%q is not a host and a port such as xmpp.example.net:5269", d.Address)
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		p.add(path+".address", "%q is not a port", port)
	}
}
