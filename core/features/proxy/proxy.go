package proxy

import (
	"context"
	"errors"
	"strconv"

	"github.com/dragoman-im/dragoman/core/bytestreams"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0065.
const NS = "http://jabber.org/protocol/bytestreams"

const maxSID = 1024 // bytes

// Relay activates streams.
type Relay interface {
	Activate(hash, account string) error
}

// Options say where clients reach the relay.
type Options struct {
	Relay   Relay  // nil: there is none
	Address string // domain or IP address; "": the host's domain
	Port    int
}

// Proxy answers for the proxy of one host.
type Proxy struct {
	Options
	host *router.Host // whose accounts may use it
}

// New returns the feature.
func New(h *router.Host, o Options) *Proxy {
	if o.Address == "" {
		o.Address = h.Domain().Domain()
	}
	return &Proxy{o, h}
}

// Feature declares what is implemented.
func (p *Proxy) Feature() router.Feature {
	return router.Feature{Name: "proxy", Specs: []spec.Spec{{
		Number: "0065", Title: "SOCKS5 Bytestreams", Version: "1.8.2", State: spec.Complete, Note: "Server. A proxy, over TCP; off by default.",
	}}}
}

// Service declares the feature of the proxy's own domain.
func (p *Proxy) Service() router.Feature {
	return router.Feature{
		Name: "bytestreams", HostIQ: map[string]router.IQHandler{NS: p.iq},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
	}
}

func (p *Proxy) iq(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Session == nil || q.Session.Account().Host() != p.host: // CVE-2026-43504: for both kinds of requests
		return nil, stanza.Forbidden("only accounts of this server may use its proxy") // XEP-0065 §4
	case !q.Payload.Is(NS, "query"):
		return nil, stanza.BadRequest("")
	case q.Stanza.Type == stanza.TypeGet:
		host := stanza.NewElement(NS, "streamhost").With("host", p.Address).With("jid", q.Stanza.To.String()).With("port", strconv.Itoa(p.Port))
		return stanza.NewElement(NS, "query").Add(host), nil
	}
	return nil, p.activate(q)
}

// activate begins the stream of the sender (XEP-0065 §6.3.5).
func (p *Proxy) activate(q *router.IQ) error {
	sid := q.Payload.Attr("sid")
	activate := q.Payload.Child(NS, "activate")
	if sid == "" || len(sid) > maxSID || activate == nil {
		return stanza.BadRequest("")
	}
	target, err := jid.Parse(activate.Text())
	if err != nil {
		return stanza.JIDMalformed("")
	}
	requester := q.Session.JID()
	err = p.Relay.Activate(bytestreams.Hash(sid, requester, target), requester.Bare().String())
	switch {
	case errors.Is(err, bytestreams.ErrNotFound):
		return stanza.ItemNotFound("nobody is connected for this stream")
	case errors.Is(err, bytestreams.ErrOneOnly):
		return stanza.NotAllowed("only one side is connected")
	case errors.Is(err, bytestreams.ErrTooMany):
		return stanza.ResourceConstraint("you have as many streams as you may have")
	}
	return err
}
