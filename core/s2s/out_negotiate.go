package s2s

import (
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Open handles the header of the other server.
func (o *outConn) Open(h *stream.Header) error {
	o.shared.mu.Lock()
	o.shared.id = h.ID
	o.shared.mu.Unlock()
	for _, p := range h.Prefixes {
		o.stream.dialback = o.stream.dialback || p.Space == dialback.NS
	}
	version, ok := h.Answer()
	switch {
	case version != "" && !ok:
		return stream.NewError(stream.UnsupportedVersion, "")
	case version == "": // no features follow (RFC 6120 §4.7.5)
		return o.featuresDone(nil)
	}
	return nil
}

// Negotiate handles what the other server sends before it has accepted us.
func (o *outConn) Negotiate(it *stream.Item) error {
	switch {
	case it.Is(stream.NSStream, "features"):
		e, err := it.Tree()
		if err != nil {
			return err
		}
		return o.features(e)
	case it.Is(stream.NSTLS, "proceed") && !o.stream.secure:
		if err := o.secured(o.StartClientTLS(o.clientTLS(""), o.deadline)); err != nil {
			return err
		}
		o.openStream()
		return nil
	case it.Is(stream.NSTLS, "failure"):
		return o.giveUp(errNoTLS)
	case it.Is(sasl.NS, "success") && o.stream.tried && !o.stream.external:
		o.stream.external = true
		o.Restart() // RFC 6120 §6.4.6
		o.openStream()
		return nil
	case it.Is(sasl.NS, "failure") && o.stream.tried && !o.stream.external:
		o.Log().Info("another server does not accept our certificate")
		return o.featuresDone(nil)
	case it.Is(dialback.NS, "result"):
		return o.resultAnswered(it)
	case it.Is(dialback.NS, "verify"):
		return o.verifyAnswered(it)
	case string(it.Space()) == stream.NSManagement:
		return o.manageAnswered(it)
	case it.StanzaKind() != 0 && o.stream.bidi && len(o.receiver.rights.all) > 0: // the answer to enable is still to come
		return o.Receive(it)
	}
	return stream.NewError(stream.UnsupportedStanzaType, "")
}

// outElements are what may arrive beside stanzas when stanzas can be sent.
var outElements = map[stream.Name]func(stream.Handler, *stream.Item) error{
	{Space: dialback.NS, Local: "result"}: outElement((*outConn).resultAnswered),
	{Space: dialback.NS, Local: "verify"}: outElement((*outConn).verifyAnswered),

	{Space: stream.NSManagement, Local: "r"}: outElement((*outConn).requested),
	{Space: stream.NSManagement, Local: "a"}: outElement((*outConn).acknowledged),
}

// outElement returns the handler of an element.
func outElement(f func(*outConn, *stream.Item) error) func(stream.Handler, *stream.Item) error {
	return func(h stream.Handler, it *stream.Item) error {
		o, size := h.(*outConn), len(it.Raw)
		return o.receiver.after(o.Conn, size, f(o, it))
	}
}

// features chooses what to negotiate next.
func (o *outConn) features(e *stanza.Element) error {
	if e.Child(dialback.NSFeature, "dialback") != nil {
		o.stream.dialback, o.stream.further = true, true
	}
	if e.Child(stream.NSManagement, "sm") != nil {
		o.stream.offersManagement = true
	}
	o.stream.offersBidi = e.Child(nsBidiFeature, "bidi") != nil
	if !o.stream.secure && e.Child(stream.NSTLS, "starttls") != nil {
		o.Queue().AppendBytes([]byte("<starttls xmlns='" + stream.NSTLS + "'/>"))
		return nil
	}
	return o.featuresDone(e)
}

// featuresDone goes on when there is no TLS left to negotiate: it begins SASL EXTERNAL or sends dialback keys. e, the features, may be nil.
func (o *outConn) featuresDone(e *stanza.Element) error {
	switch {
	case !o.stream.secure && (!o.server.rule(o.pair.theirs).Plain || len(o.target.Evidence.TLSA) > 0): // RFC 7673 §4: TLSA records promise TLS
		return o.giveUp(errNoTLS)
	case o.stream.external:
		o.ready()
		o.accepted(o.pair)
		return nil
	case o.verifyOnly():
		o.ready()
		return nil
	case o.stream.secure && !o.stream.tried && offersExternal(e):
		o.stream.tried = true
		o.askForBidi()
		// The identity is that of the header's from (XEP-0178 §3, step 10).
		o.Queue().AppendBytes([]byte("<auth xmlns='" + sasl.NS + "' mechanism='" + sasl.External + "'>=</auth>"))
		return nil
	case !o.stream.dialback:
		return o.giveUp(errNoMethod)
	}
	o.askForBidi()
	o.ready()
	return nil
}

func offersExternal(e *stanza.Element) bool {
	if e == nil {
		return false
	}
	mechanisms := e.Child(sasl.NS, "mechanisms")
	if mechanisms == nil {
		return false
	}
	for m := range mechanisms.Named(sasl.NS, "mechanism") {
		if m.Text() == sasl.External {
			return true
		}
	}
	return false
}

// askForBidi lets the other server send on this connection, too, if it can and the settings want it (XEP-0288 §2.2: before SASL or dialback).
func (o *outConn) askForBidi() {
	if o.stream.bidi || !o.stream.offersBidi || !o.server.limits().asksForBidi() {
		return
	}
	o.stream.bidi = true
	o.Queue().AppendBytes([]byte("<bidi xmlns='" + nsBidi + "'/>"))
}

// verifyOnly reports whether the connection is for verifications alone.
func (o *outConn) verifyOnly() bool {
	o.shared.mu.Lock()
	defer o.shared.mu.Unlock()
	return len(o.shared.asked) == 0 && len(o.shared.carried) == 0
}

// ready sends the requests that wait, and lets other goroutines send more.
func (o *outConn) ready() {
	o.shared.mu.Lock()
	o.shared.ready = true
	o.shared.dialback = o.stream.further && o.stream.valid // see inConn.extends
	var send []dialback.Element
	for p := range o.shared.asked {
		if !o.stream.external || p != o.pair {
			send = append(send, o.keyFor(p))
		}
	}
	for _, r := range o.shared.verifies {
		send = append(send, r.verify.request())
	}
	o.shared.mu.Unlock()
	for _, d := range send {
		o.Append(d.Append)
	}
	o.server.directory.add(o)
}

// keyFor returns the request to be allowed to send for a pair (XEP-0220 §2.1.1). The lock of shared is held.
func (o *outConn) keyFor(p pair) dialback.Element {
	return dialback.Element{Name: "result", From: p.ours, To: p.theirs, Key: o.server.keys.of(p, o.shared.id)}
}

// adopt asks the other server to let a further pair send on this connection. It returns false if the connection cannot be shared.
func (o *outConn) adopt(l *link) bool {
	o.shared.mu.Lock()
	if !o.shared.dialback || o.shared.single || o.shared.ended || len(o.shared.carried) == 0 || len(o.shared.carried)+len(o.shared.asked) >= maxPairs {
		o.shared.mu.Unlock()
		return false
	}
	if o.shared.asked == nil {
		o.shared.asked = map[pair]*request{}
	}
	o.shared.asked[l.pair] = &request{link: l, until: time.Now().Add(stepWait)}
	d := o.keyFor(l.pair)
	o.shared.mu.Unlock()
	o.Append(d.Append)
	o.Queue().Flush()
	return true
}

// resultAnswered handles the answer to a key. One that was not asked for is ignored (CVE-2012-3525).
func (o *outConn) resultAnswered(it *stream.Item) error {
	d, err := dialback.Read(it)
	if err != nil {
		return err
	}
	if d.Type == "" && o.stream.bidi { // XEP-0288 §2.2: it may ask for further pairs; on a connection of its own they are accepted
		refused := dialback.Element{Name: "result", From: d.To, To: d.From, Type: dialback.TypeError, Condition: dialback.NoResources}
		o.Append(refused.Append)
		return nil
	}
	p := pair{ours: d.To, theirs: d.From}
	o.shared.mu.Lock()
	r := o.shared.asked[p]
	known := r != nil && d.Type != "" && o.shared.ready
	further := len(o.shared.carried) > 0
	if known && d.Type != dialback.TypeValid {
		delete(o.shared.asked, p)
	}
	o.shared.mu.Unlock()
	switch {
	case !known:
		o.Log().Warn("answer to a dialback key that was not asked for", "pair", p)
	case d.Type == dialback.TypeValid:
		o.accepted(p)
	case d.Type == dialback.TypeError && further:
		o.server.openFor(r.link) // XEP-0220 §2.4.2: perhaps on a connection of its own
	case d.Type == dialback.TypeError:
		r.link.failed(dialbackError{d.Condition})
		return o.giveUp(dialbackError{d.Condition})
	default:
		r.link.failed(errKeyRefused)
		if !further {
			return o.giveUp(errKeyRefused)
		}
	}
	return nil
}

// accepted lets the link of a pair send, after stream management was negotiated.
func (o *outConn) accepted(p pair) {
	if o.stream.bidi {
		o.receiver.rights.add(p)
		o.Budget(0, nil)
		o.SetLimits(o.server.stanzaLimits(o.pair.theirs)) // stanzas of the other server may come before the answer to enable
	}
	if p == o.pair && !o.Established() {
		if l := o.primary(); l == nil || o.manage(l) {
			return
		}
	}
	o.establish(p)
}

// establish makes the link of a pair send.
func (o *outConn) establish(p pair) {
	o.shared.mu.Lock()
	r := o.shared.asked[p]
	if r == nil {
		o.shared.mu.Unlock()
		return
	}
	delete(o.shared.asked, p)
	o.shared.carried = append(slices.Clone(o.shared.carried), r.link)
	o.shared.mu.Unlock()
	if !o.Established() {
		o.SetLimits(o.server.stanzaLimits(o.pair.theirs))
		o.receiver.limit(o.pair.theirs)
		o.Establish()
		o.opened()
		o.secure, o.valid, o.bidi = o.stream.secure, o.stream.valid, o.stream.bidi
		o.server.links.held.add(o.carrier)
		o.server.Counters.Out.Add(1)
		o.Log().Info("connection with another server", "tls", o.stream.secure, "certificate", o.stream.valid, "external", o.stream.external)
	}
	r.link.attach(o.carrier)
}
