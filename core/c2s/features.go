package c2s

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// stage is the state of a stream's negotiation.
type stage uint8

const (
	wantTLS stage = iota
	wantLogin
	wantLoginTLS
	wantBind
	bound
	managed // bound, with stream management
	stages
)

func (c *conn) stage() stage {
	switch {
	case c.session != nil && c.negotiation.enabling != nil:
		return managed
	case c.session != nil:
		return bound
	case !c.who.IsZero():
		return wantBind
	case c.tlsRequired():
		return wantTLS
	case c.negotiation.secure:
		return wantLoginTLS
	}
	return wantLogin
}

// offers are a host's features as they are sent: the same for all connections of a stage with the same channel bindings.
type offers [2][stages][bindingSets]atomic.Pointer[offer]

// bindingSets is the number of sets of channel bindings that a connection may have, with and without a certificate of the client.
const bindingSets = 1 << 3

// offer is what is sent while the settings are the same.
type offer struct {
	settings *settings
	text     []byte
	version  string // of the features, "" for none
}

// bindingSet returns the index of what the mechanisms of the connection depend on.
func (c *conn) bindingSet() int {
	set := 0
	if c.saslConn().External != nil {
		set |= 4
	}
	for _, b := range c.negotiation.bindings {
		switch b.Type {
		case sasl.BindExporter:
			set |= 1
		case sasl.BindEndPoint:
			set |= 2
		}
	}
	return set
}

// sendFeatures sends the features of the current stage (RFC 6120 §4.3.2).
func (c *conn) sendFeatures() {
	if at := c.stage(); at == wantLogin || at == wantLoginTLS {
		c.negotiation.dialogue = sasl.NewDialogue(c.host.SASL, c.saslConn())
	}
	c.Queue().AppendBytes(c.offered().text)
}

// offered returns the features of the current stage.
func (c *conn) offered() *offer {
	framed := 0
	if c.Framed() {
		framed = 1
	}
	at, current := c.stage(), c.server.current.Load()
	cached := &c.host.offers[framed][at][c.bindingSet()]
	o := cached.Load()
	if o == nil || o.settings != current {
		o = c.newOffer(at, current)
		cached.Store(o)
	}
	return o
}

func (c *conn) features(at stage) []*stanza.Element {
	switch at {
	case managed: // a client that sees the feature again would enable stream management again, and resume its own session
		return append([]*stanza.Element{stanza.NewElement(nsClientState, "csi"), c.limitsFeature()}, c.host.Features...)
	case bound:
		return append(append(sessionFeatures(), c.limitsFeature()), c.host.Features...)
	case wantBind:
		bind := stanza.NewElement(nsBind, "bind")
		// RFC 3921 clients require a session; others ignore this feature.
		session := stanza.NewElement(nsSession, "session").Add(stanza.NewElement(nsSession, "optional"))
		return slices.Concat([]*stanza.Element{bind, session}, sessionFeatures(), []*stanza.Element{c.limitsFeature()}, c.host.Features)
	case wantTLS:
		return []*stanza.Element{stream.StartTLSFeature(true), c.limitsFeature()} // checklist 20
	}
	var list []*stanza.Element
	if at == wantLogin && c.host.tls != nil && !c.Framed() { // RFC 7395 §3.9
		list = append(list, stream.StartTLSFeature(false))
	}
	list = append(list, c.host.SASL.Features(c.saslConn())...)
	if f := c.host.SASL.Feature2(c.saslConn(), c.inlineFeatures()...); f != nil {
		list = append(list, f)
	}
	list = append(list, c.host.FeaturesBeforeLogin...)
	if at == wantLoginTLS { // XEP-0305 §3. What is sent after starttls is discarded: see stream.Conn.StartTLS
		list = append(list, stanza.NewElement(nsPipelining, "pipelining"))
	}
	return append(list, c.limitsFeature())
}

// sessionFeatures announces what this package offers to sessions (XEP-0198 §2, XEP-0352 §4.1).
func sessionFeatures() []*stanza.Element {
	return []*stanza.Element{stanza.NewElement(nsManagement, "sm"), stanza.NewElement(nsClientState, "csi")}
}

// limitsFeature announces the limits of stanzas (XEP-0478).
func (c *conn) limitsFeature() *stanza.Element {
	l := c.server.limits()
	f := stanza.NewElement(nsLimits, "limits")
	if c.who.IsZero() {
		return f.Add(stanza.TextElement(nsLimits, "max-bytes", strconv.Itoa(l.BeforeLogin.Bytes)))
	}
	return f.Add(
		stanza.TextElement(nsLimits, "max-bytes", strconv.Itoa(l.Stanza.Bytes)),
		stanza.TextElement(nsLimits, "idle-seconds", strconv.Itoa(int(2*l.Idle/time.Second))),
	)
}

// anonymous returns the sasl.Conn.Anonymous of the connection, nil if its host has no accounts for such clients.
func (c *conn) anonymous() func() (jid.JID, error) {
	if c.host == nil || c.host.Temporary == nil {
		return nil
	}
	return func() (jid.JID, error) {
		account, ok := c.host.Temporary.Begin(c.from)
		if !ok {
			return account, sasl.ErrTooManySessions
		}
		return account, nil
	}
}

func (c *conn) tlsRequired() bool { return !c.negotiation.secure && !c.server.cfg.Plain }

func (c *conn) saslConn() sasl.Conn {
	return sasl.Conn{
		TLS: c.negotiation.secure, Bindings: c.negotiation.bindings, External: c.external(), Anonymous: c.anonymous(), Limiter: guessLimiter{c},
	}
}

// Negotiate handles an element of a client that has not bound a session.
func (c *conn) Negotiate(it *stream.Item) error {
	if c.negotiation.elements++; c.negotiation.elements > maxBeforeLogin {
		return stream.NewError(stream.PolicyViolation, "too much before login")
	}
	kind := it.StanzaKind()
	switch {
	case c.negotiation.dialogue.Busy() && string(it.Space()) != sasl.NS2:
		return errDuringLogin
	case it.Is(stream.NSTLS, "starttls"):
		return c.startTLS()
	case (string(it.Space()) == sasl.NS || string(it.Space()) == sasl.NS2) && c.who.IsZero():
		return c.authenticate(it)
	case c.tlsRequired():
		return stream.NewError(stream.PolicyViolation, "TLS is required") // CVE-2014-8760
	case kind != 0 && c.who.IsZero():
		return c.beforeLogin(it)
	case kind != 0:
		return c.beforeBind(it)
	case string(it.Space()) == nsManagement:
		return c.beforeBindManagement(it)
	case c.who.IsZero():
		return stream.NewError(stream.NotAuthorized, "") // checklist 8
	}
	return stream.NewError(stream.UnsupportedStanzaType, "")
}

// beforeLogin handles a stanza of a client that has not logged in: Host.BeforeLogin may answer an IQ.
func (c *conn) beforeLogin(it *stream.Item) error {
	if c.host.BeforeLogin == nil || it.StanzaKind() != stanza.IQ {
		return stream.NewError(stream.NotAuthorized, "") // RFC 6120 §4.9.3.12
	}
	st, err := it.Stanza()
	if err != nil || !st.From.IsZero() || !st.To.IsZero() && st.To.String() != c.host.domain {
		return stream.NewError(stream.NotAuthorized, "")
	}
	if !st.IsRequest() || st.ID == "" || st.FirstChild() == nil {
		return stream.NewError(stream.BadFormat, "")
	}
	c.negotiation.peer.Address = c.from
	if reply := c.host.BeforeLogin(c.Context(), &c.negotiation.peer, st); reply != nil {
		c.Send(reply)
	}
	return nil
}
