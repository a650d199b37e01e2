package config

import (
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	minStanza = 10000 // RFC 6120 §13.12
	minRoster = 10000

	maxPartitions = 64

	defaultExpires = Duration(24 * time.Hour)
)

func (c *Config) validate(p *Problems) {
	c.Server.validate(p)
	c.Listen.validate(p)
	c.Web.validate(p)
	c.Upload.validate(p)
	c.Media.validate(p)
	c.Push.validate(p)
	c.TLS.validate(p)
	c.Login.validate(p)
	c.Accounts.validate(p)
	c.Store.validate(p)
	c.Limits.validate(p)
	c.Pubsub.validate(p)
	c.Rooms.validate(p)
	c.Status.validate(p)
	c.Federation.validate(p)
	for i := range c.Remotes {
		c.Remotes[i].validate(p, "federation_domain["+strconv.Itoa(i)+"]")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		p.add("log.level", "%q is not debug, info, warn or error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		p.add("log.format", "%q is not text or json", c.Log.Format)
	}
	c.validateDomains(p)
	for i := range c.Services {
		c.Services[i].validate(p, "service["+strconv.Itoa(i)+"]")
	}
	c.validateGroups(p)
	c.validateLinks(p)
	c.validateRetention(p)
	c.validateBackends(p)
	domain(p, "proxy.domain", c.Proxy.Domain)
	if c.Proxy.Address != "" {
		domain(p, "proxy.address", c.Proxy.Address)
	}
	if !slices.Contains([]string{"limit", "accept", "refuse"}, c.Strangers.Policy) {
		p.add("strangers.policy", "%q is not limit, accept or refuse", c.Strangers.Policy)
	}
	c.Gateway.validate(p)
	address(p, "foreign.address", c.Foreign.Address)
	for _, s := range c.Sections {
		s.validate(p)
	}
}

func (s *Store) validate(p *Problems) {
	if u, err := url.Parse(s.URL); err != nil || s.URL != "" && u.Scheme != "postgres" && u.Scheme != "postgresql" {
		p.add("store.url", "this is not a URL that begins with postgres://") // without the value, which may contain a password
	}
	if s.Partitions < 1 || s.Partitions > maxPartitions {
		p.add("store.partitions", "%d is not between 1 and %d", s.Partitions, maxPartitions)
	}
	if s.Readers < 0 {
		p.add("store.readers", "%d is less than 0", s.Readers)
	}
}

func (s *Server) validate(p *Problems) {
	for _, namespace := range s.Delegable {
		if namespace == "" || strings.ContainsAny(namespace, " \t") {
			p.add("server.delegable", "%q is not a namespace", namespace)
		} else if slices.Contains(undelegated, namespace) {
			p.add("server.delegable", "%q can only be answered by the server", namespace)
		}
	}
	if len(s.Hosts) == 0 {
		p.add("server.hosts", "name at least one domain")
	}
	if s.Data == "" {
		p.add("server.data", "name a directory")
	}
	bareAddresses(p, "server.admins", s.Admins)
	for _, a := range s.Contacts {
		if u, err := url.Parse(a); err != nil || u.Scheme == "" {
			p.add("server.contacts", "%q is not a URL such as mailto:admin@example.org", a)
		}
	}
	if s.Directory != "" {
		domain(p, "server.directory", s.Directory)
	}
	positive(p, "server.shutdown", int64(s.Shutdown))
}

func (a *Accounts) validate(p *Problems) {
	bareAddresses(p, "accounts.operators", a.Operators)
	positive(p, "accounts.invitation_time", int64(a.InvitationTime))
	if a.DeletedNames < 0 {
		p.add("accounts.deleted_names", "must not be negative")
	}
}

// bareAddresses checks addresses to which rights are given: each names an account in full, never a domain or a user name alone.
func bareAddresses(p *Problems, path string, list []string) {
	for _, a := range list {
		if strings.Count(a, "@") != 1 || strings.HasPrefix(a, "@") || strings.HasSuffix(a, "@") || strings.Contains(a, "/") {
			p.add(path, "%q is not an address such as ann@example.org", a)
		}
	}
}

func (l *Listen) validate(p *Problems) {
	if len(l.Component) > 1 {
		p.add("listen.component", "one address is enough")
	}
	if len(l.ComponentTLS) > 1 {
		p.add("listen.component_tls", "one address is enough")
	}
	seen := map[string]string{}
	for _, list := range []struct {
		path string
		all  []string
	}{{"listen.c2s", l.C2S}, {"listen.c2s_tls", l.C2STLS}, {"listen.s2s", l.S2S}, {"listen.s2s_tls", l.S2STLS}, {"listen.component", l.Component}, {"listen.component_tls", l.ComponentTLS}, {"listen.proxy", l.Proxy}, {"listen.http", l.HTTP}, {"listen.http_tls", l.HTTPTLS}} {
		for _, a := range list.all {
			address(p, list.path, a)
			if other, ok := seen[a]; ok && !strings.HasSuffix(a, ":0") {
				p.add(list.path, "%q is listened on already by %s", a, other)
			}
			seen[a] = list.path
		}
	}
}

func (t *TLS) validate(p *Problems) {
	certificates(p, "tls.client_ca", t.ClientCA)
	if len(t.ClientCRL) > 0 && t.ClientCA == "" {
		p.add("tls.client_crl", "no certificates of clients are accepted without client_ca")
	}
	for _, file := range t.ClientCRL {
		revocationLists(p, "tls.client_crl", file)
	}
	if (t.Certificate == "") != (t.Key == "") {
		p.add("tls", "certificate and key go together")
		return
	}
	if t.Certificate == "" {
		return
	}
	readable := true
	for _, f := range []struct{ path, file string }{{"tls.certificate", t.Certificate}, {"tls.key", t.Key}} {
		if text, err := os.ReadFile(f.file); err != nil {
			p.add(f.path, "%v", err)
			readable = false
		} else if len(text) == 0 {
			p.add(f.path, "%s is empty", f.file)
			readable = false
		} else if info, err := os.Stat(f.file); err == nil && info.Mode().Perm()&othersMayWrite != 0 {
			p.add(f.path, "every user of this machine can change %s (mode %04o): chmod go-w %s", f.file, info.Mode().Perm(), f.file)
		}
	}
	if !readable {
		return
	}
	if _, err := tls.LoadX509KeyPair(t.Certificate, t.Key); err != nil {
		p.add("tls.certificate", "%s and %s are no certificate with its key in PEM form: %s", t.Certificate, t.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
}

func (l *Login) validate(p *Problems) {
	if l.Iterations < 4096 || l.Iterations > 1000000 { // RFC 7677 §4
		p.add("login.iterations", "%d is not between 4096 and 1000000", l.Iterations)
	}
	if l.Tries < 2 || l.Tries > 10 { // RFC 6120 §6.4.5
		p.add("login.tries", "%d is not between 2 and 10", l.Tries)
	}
	if l.Failures < 0 {
		p.add("login.failures", "%d is negative", l.Failures)
	}
	if l.AccountFailures < 0 {
		p.add("login.account_failures", "%d is negative", l.AccountFailures)
	}
	positive(p, "login.tls_wait", int64(l.TLSWait))
	positive(p, "login.wait", int64(l.Wait))
	positive(p, "login.token_life", int64(l.TokenLife))
	positive(p, "login.token_refresh", int64(l.TokenRefresh))
	if l.ForeignTokens < 0 {
		p.add("login.foreign_tokens", "%s is negative", time.Duration(l.ForeignTokens))
	}
	if l.Resume < 0 || l.Resume > Duration(24*time.Hour) {
		p.add("login.resume", "%s is not between 0 and 24 hours", time.Duration(l.Resume))
	}
	if !slices.Contains([]string{"replace", "reject", "rename"}, l.Conflict) {
		p.add("login.conflict", "%q is not replace, reject or rename", l.Conflict)
	}
}

func (l *Limits) validate(p *Problems) {
	for path, n := range map[string]Bytes{"limits.stanza_bytes": l.StanzaBytes, "limits.component_bytes": l.ComponentBytes, "limits.login_bytes": l.LoginBytes} {
		if n < minStanza || n > 64<<20 {
			p.add(path, "%s is not between %d bytes and 64 MiB", n, minStanza)
		}
	}
	for path, n := range map[string]int{
		"limits.stanza_elements": l.StanzaElements, "limits.stanza_depth": l.StanzaDepth, "limits.stanza_attributes": l.StanzaAttributes,
		"limits.login_elements": l.LoginElements, "limits.login_depth": l.LoginDepth, "limits.login_attributes": l.LoginAttributes, "limits.component_elements": l.ComponentElements, "limits.sessions": l.Sessions, "limits.clients": l.Clients,
		"limits.roster_items": l.RosterItems, "limits.roster_requests": l.RosterRequests, "limits.idle": int(l.Idle), "limits.blocked": l.Blocked, "limits.search_results": l.SearchResults, "limits.group_members": l.GroupMembers,
		"limits.unacknowledged": l.Unacknowledged, "limits.inactive_queue": l.InactiveQueue, "limits.reports": l.Reports,
		"limits.component_requests":  l.ComponentRequests,
		"limits.component_presences": l.ComponentPresences, "limits.fragments": l.Fragments, "limits.delegation_questions": l.DelegationAsked,
	} {
		positive(p, path, int64(n))
	}
	for path, n := range map[string]int64{
		"limits.connections": int64(l.Connections), "limits.new_connections": int64(l.NewConnections),
		"limits.pending_connections": int64(l.PendingConnections), "limits.registrations": int64(l.Registrations), "limits.registration_names": int64(l.RegistrationNames),
		"limits.archive_messages": int64(l.ArchiveMessages), "limits.archive_bytes": int64(l.ArchiveBytes),
		"limits.offline_messages": int64(l.OfflineMessages), "limits.recipients": int64(l.Recipients), "limits.searches": int64(l.Searches), "limits.archive_searches": int64(l.ArchiveSearches),
		"limits.component_rate":     int64(l.ComponentRate),
		"limits.invitation_pages":   int64(l.InvitationPages),
		"limits.detached_sessions":  int64(l.DetachedSessions),
		"limits.anonymous_sessions": int64(l.AnonymousSessions),
		"limits.stranger_messages":  int64(l.StrangerMessages), "limits.proxy_connections": int64(l.ProxyConnections), "limits.proxy_streams": int64(l.ProxyStreams), "limits.stranger_senders": int64(l.StrangerSenders), "limits.stranger_receivers": int64(l.StrangerReceivers),
	} {
		if n < 0 {
			p.add(path, "%d is negative", n)
		}
	}
	positive(p, "limits.block_list_entries", int64(l.BlockListEntries))
	positive(p, "limits.invitations", int64(l.Invitations))
	positive(p, "limits.registration_time", int64(l.RegistrationTime))
	if l.RosterBytes < minRoster || l.RosterBytes > 64<<20 {
		p.add("limits.roster_bytes", "%s is not between %d bytes and 64 MiB", l.RosterBytes, minRoster)
	}
	if l.Rate > 0 && l.Burst < l.StanzaBytes {
		p.add("limits.burst", "%s is less than limits.stanza_bytes (%s), so the largest stanza could never pass", l.Burst, l.StanzaBytes)
	}
	if l.ComponentQueue < max(l.StanzaBytes, l.ComponentBytes) {
		p.add("limits.component_queue", "%s is less than the largest stanza (%s), which could never be delivered", l.ComponentQueue, max(l.StanzaBytes, l.ComponentBytes))
	}
	if l.UnacknowledgedBytes < l.StanzaBytes {
		p.add("limits.unacknowledged_bytes", "%s is less than limits.stanza_bytes (%s), so the largest stanza would end the session", l.UnacknowledgedBytes, l.StanzaBytes)
	}
	if l.Queue < l.StanzaBytes {
		p.add("limits.queue", "%s is less than limits.stanza_bytes (%s), so the largest stanza could never be delivered", l.Queue, l.StanzaBytes)
	}
}

func (g *Gateway) validate(p *Problems) {
	if g.Key != "" {
		if key, err := hex.DecodeString(g.Key); err != nil || len(key) != 32 {
			p.add("gateway.key", "not 64 hexadecimal digits")
		}
	}
	positive(p, "gateway.expire", int64(g.Expire))
	positive(p, "gateway.retry_min", int64(g.RetryMin))
	if g.RetryMax < g.RetryMin {
		p.add("gateway.retry_max", "%s is less than gateway.retry_min (%s)", g.RetryMax, g.RetryMin)
	}
	positive(p, "gateway.accounts", int64(g.Accounts))
	if g.History < 0 || g.History > 1000 {
		p.add("gateway.history", "%d is not between 0 and 1000", g.History)
	}
	if g.Members < 0 {
		p.add("gateway.members", "%d is negative", g.Members)
	}
	if g.Bookmarks < 0 || g.Bookmarks > 10_000 {
		p.add("gateway.bookmarks", "%d is not between 0 and 10000", g.Bookmarks)
	}
	if g.Autojoin < 0 || g.Autojoin > 10_000 {
		p.add("gateway.autojoin", "%d is not between 0 and 10000", g.Autojoin)
	}
	if g.Stanzas < 0 || g.Stanzas > 1_000_000 {
		p.add("gateway.stanzas", "%d is not between 0 and 1000000", g.Stanzas)
	}
}

// validateDomains checks that no domain is used twice.
func (c *Config) validateDomains(p *Problems) {
	seen := map[string]string{}
	use := func(path, d string) {
		domain(p, path, d)
		if other, ok := seen[d]; ok {
			p.add(path, "%q is used already by %s", d, other)
		}
		seen[d] = path
	}
	for _, h := range c.Server.Hosts {
		use("server.hosts", h)
	}
	for _, g := range c.Server.Gone {
		use("server.gone", g)
	}
	for _, h := range c.Anonymous.Hosts {
		use("anonymous.hosts", h)
	}
	delegated := map[string]string{}
	for i := range c.Components {
		path := "component[" + strconv.Itoa(i) + "]"
		use(path+".domain", c.Components[i].Domain)
		c.Components[i].validate(p, path, delegated)
	}
	for _, s := range c.Sections {
		if n := s.Network(); n.Enabled {
			use(s.Name+".domain", n.Domain)
		}
	}
	c.validateAnonymous(p)
}

// validateAnonymous checks with whom clients without an account communicate: not with gateways, which keep logins for accounts.
func (c *Config) validateAnonymous(p *Problems) {
	for _, d := range c.Anonymous.Allow {
		domain(p, "anonymous.allow", d)
		for _, s := range c.Sections {
			if n := s.Network(); n.Enabled && n.Domain == d {
				p.add("anonymous.allow", "%q is a gateway, which only accounts can use", d)
			}
		}
	}
}

// Named reports whether a host, component or gateway of the configuration has a domain.
func (c *Config) Named(domain string) bool {
	named := slices.Contains(c.Server.Hosts, domain) || slices.Contains(c.Server.Gone, domain) || slices.Contains(c.Anonymous.Hosts, domain)
	for _, k := range c.Components {
		named = named || k.Domain == domain
	}
	for _, s := range c.Sections {
		if n := s.Network(); n.Enabled {
			named = named || n.Domain == domain
		}
	}
	return named
}

func (s *Service) validate(p *Problems, path string) {
	if s.Type == "" || strings.ContainsAny(s.Type, " /:") {
		p.add(path+".type", "%q is not a type such as stun or turn", s.Type)
	}
	domain(p, path+".host", s.Host)
	if s.Port < 0 || s.Port > 65535 {
		p.add(path+".port", "%d is not a port", s.Port)
	}
	if !slices.Contains([]string{"", "udp", "tcp"}, s.Transport) {
		p.add(path+".transport", "%q is not udp or tcp", s.Transport)
	}
	if s.Secret != "" && (s.Username != "" || s.Password != "") {
		p.add(path+".secret", "give the secret, or the user name and the password, not both")
	}
}

func domain(p *Problems, path, d string) {
	ok := d != "" && len(d) <= 253
	for label := range strings.SplitSeq(d, ".") {
		ok = ok && label != "" && len(label) <= 63 && !strings.ContainsAny(label, " /@:[]\"'<>&") && strings.ToLower(label) == label
	}
	if _, err := netip.ParseAddr(strings.Trim(d, "[]")); !ok && err != nil {
		p.add(path, "%q is not a domain in lower case", d)
	}
}

func address(p *Problems, path, a string) {
	host, port, err := net.SplitHostPort(a)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, " /@") {
		p.add(path, "%q is not an address such as \":5222\" or \"127.0.0.1:5222\"", a)
	}
}

// CheckBaseURL accepts an https URL, or an http URL of this machine: tokens are sent to it.
func CheckBaseURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is not a URL", s)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return fmt.Errorf("%q: http is for this machine only, since tokens are sent there", s)
	}
	return nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func positive(p *Problems, path string, n int64) {
	if n <= 0 {
		p.add(path, "must be more than 0")
	}
}
