package s2s

import (
	"encoding/base64"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Open answers the header of the peer and offers features.
func (c *inConn) Open(h *stream.Header) error {
	p, err := c.pairOf(h)
	if err == nil && c.stream.external && p != c.stream.pair {
		err = stream.NewError(stream.NotAuthorized, "other domains than those that were authenticated") // as CVE-2018-10847
	}
	if err == nil || p.ours != "" && !c.stream.external {
		c.stream.pair = p
	}
	version, ok := h.Answer()
	if err == nil && !ok && version != "" {
		err = stream.NewError(stream.UnsupportedVersion, "")
	}
	c.answerHeader(h)
	if err != nil {
		return err
	}
	if h.Version != "" { // RFC 6120 §4.7.5
		list := c.features()
		c.Append(func(dst []byte) []byte { return c.AppendFeatures(dst, list...) })
	}
	if c.stream.external {
		c.accept(p)
	}
	return nil
}

// pairOf checks the addresses of a header.
func (c *inConn) pairOf(h *stream.Header) (p pair, err error) {
	if h.To == "" {
		return p, stream.NewError(stream.ImproperAddressing, "to is missing")
	}
	ours, ok := dialback.ParseDomain(h.To)
	if !ok || !c.server.serves(ours) {
		return p, stream.NewError(stream.HostUnknown, "") // RFC 6120 §4.9.3.6
	}
	p.ours = ours
	if h.From == "" {
		if c.stream.secure { // RFC 6120 §4.7.1; checklist 107
			return p, stream.NewError(stream.ImproperAddressing, "from is missing")
		}
		return p, nil
	}
	if p.theirs, ok = dialback.ParseDomain(h.From); !ok {
		return p, stream.NewError(stream.ImproperAddressing, "from is no domain")
	}
	if c.server.serves(p.theirs) { // this server itself, or somebody who claims to be it
		return p, errInvalidFrom
	}
	if c.server.rule(p.theirs).Refused {
		return p, errRefused
	}
	return p, nil
}

// answerHeader sends our header. h is nil if the peer's has not arrived or was malformed.
func (c *inConn) answerHeader(h *stream.Header) {
	c.stream.id = newID()
	out := stream.Header{
		Content: stanza.NSServer, From: c.server.cfg.Name.String(), ID: c.stream.id, Lang: "en", Version: "1.0", Prefixes: dialback.Prefixes,
	}
	if c.stream.pair.ours != "" {
		out.From = c.stream.pair.ours
	}
	if h != nil {
		out.To, _ = dialback.ParseDomain(h.From) // RFC 6120 §4.7.2
		out.Version, _ = h.Answer()
	}
	c.SendHeader(&out)
}

// features returns what the peer can negotiate now.
func (c *inConn) features() []*stanza.Element {
	var list []*stanza.Element
	plain := c.server.rule(c.stream.pair.theirs).Plain
	if !c.stream.secure {
		list = append(list, stream.StartTLSFeature(!plain))
		if !plain {
			return list
		}
	}
	if c.stream.secure && !c.stream.external && c.proves(c.stream.pair.theirs) { // checklist 107
		list = append(list, stanza.NewElement(sasl.NS, "mechanisms").Add(stanza.TextElement(sasl.NS, "mechanism", sasl.External)))
	}
	if c.server.limits().offersBidi() && !c.stream.external {
		list = append(list, bidiFeature())
	}
	return append(list, dialback.Feature(), managementFeature())
}

// proves reports whether the certificate of the peer is valid for a domain.
func (c *inConn) proves(domain string) bool { return domain != "" && c.verifyFor(domain) == nil }

// verifyFor returns why the certificate of the peer is not valid for a domain.
func (c *inConn) verifyFor(domain string) error {
	if !c.stream.secure || len(c.stream.chain) == 0 {
		return errCertificate
	}
	err := certificate.Verify(c.stream.chain, domain, c.evidence(domain), c.server.cfg.Roots)
	if err != nil {
		c.Log().Debug("certificate of another server is not valid", "domain", domain, "err", err)
	}
	return err
}

// evidence returns what a domain publishes about certificates. Few lookups are made at once for peers from one network, which can name
// domains that answer slowly.
func (c *inConn) evidence(domain string) certificate.Evidence {
	e := c.server.cfg.Evidence(domain)
	e.Revoked = c.server.cfg.Revoked
	if look := e.Lookup; look != nil {
		e.Lookup = func() certificate.Evidence {
			done, ok := c.address.Work(maxLookups)
			if !ok {
				c.server.Counters.LimitCounters.Crowded.Add(1)
				return certificate.Evidence{}
			}
			defer done()
			return look()
		}
	}
	return e
}

// Negotiate handles what the peer sends before it may send stanzas.
func (c *inConn) Negotiate(it *stream.Item) error {
	switch {
	case it.Is(stream.NSTLS, "starttls"):
		return c.startTLS()
	case it.Is(sasl.NS, "auth"):
		return c.auth(it)
	case it.Is(nsBidi, "bidi"):
		return c.wantBidi()
	case it.Is(dialback.NS, "result"):
		return c.result(it)
	case it.Is(dialback.NS, "verify"):
		return c.verify(it)
	}
	return errNotAuth
}

// inElements are what may arrive beside stanzas.
var inElements = map[stream.Name]func(stream.Handler, *stream.Item) error{
	{Space: dialback.NS, Local: "result"}: inElement((*inConn).result),
	{Space: dialback.NS, Local: "verify"}: inElement((*inConn).verify),

	{Space: stream.NSManagement, Local: "enable"}: inElement((*inConn).enable),
	{Space: stream.NSManagement, Local: "resume"}: inElement((*inConn).resume),
	{Space: stream.NSManagement, Local: "r"}:      inElement((*inConn).requested),
	{Space: stream.NSManagement, Local: "a"}:      inElement((*inConn).acknowledged),
}

// inElement returns the handler of an element.
func inElement(f func(*inConn, *stream.Item) error) func(stream.Handler, *stream.Item) error {
	return func(h stream.Handler, it *stream.Item) error {
		c, size := h.(*inConn), len(it.Raw)
		return c.after(c.Conn, size, f(c, it))
	}
}

// startTLS handles a starttls element (RFC 6120 §5.4.2).
func (c *inConn) startTLS() error {
	if c.stream.secure || c.stream.pair.ours == "" || !c.CanTLS() {
		return c.RefuseTLS()
	}
	if err := c.secured(c.StartTLS(c.server.tls.of(c.stream.pair.ours), c.deadline)); err != nil {
		return err
	}
	c.stream.pair, c.stream.bidi = pair{}, false // RFC 6120 §5.4.3.3
	return nil
}

// auth handles SASL EXTERNAL (XEP-0178 §3). Where it fails the peer can still use dialback.
func (c *inConn) auth(it *stream.Item) error {
	e, err := it.Tree()
	if err != nil {
		return err
	}
	theirs := c.stream.pair.theirs
	condition := ""
	switch {
	case !c.stream.secure:
		condition = "encryption-required"
	case c.stream.external || e.Attr("mechanism") != sasl.External || !c.proves(theirs):
		condition = "invalid-mechanism" // RFC 6120 §6.5.7
	default:
		condition = checkIdentity(e.Text(), theirs)
	}
	if condition != "" {
		c.Queue().AppendBytes([]byte("<failure xmlns='" + sasl.NS + "'><" + condition + "/></failure>"))
		return c.countRefused()
	}
	c.stream.external = true
	c.Queue().AppendBytes([]byte("<success xmlns='" + sasl.NS + "'/>"))
	c.Restart() // RFC 6120 §6.4.6
	return nil
}

// checkIdentity returns why the authorization identity of EXTERNAL is refused, "" if it is the domain.
func checkIdentity(text, domain string) string {
	if text == "" || text == "=" { // XEP-0178 §3, step 10: that of the header's from
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "incorrect-encoding" // RFC 6120 §6.5.5
	}
	if d, ok := dialback.ParseDomain(string(raw)); !ok || d != domain {
		return "invalid-authzid" // RFC 6120 §6.5.6
	}
	return ""
}

// countRefused ends a stream on which too much was refused.
func (c *inConn) countRefused() error {
	if c.stream.refused++; c.stream.refused > maxRefused {
		return errTries
	}
	return nil
}
