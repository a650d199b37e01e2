package extdisco

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0215.
const NS = "urn:xmpp:extdisco:2"

// Services lists the external services of a host.
type Services struct {
	list []config.Service
	now  func() time.Time
}

// New returns the feature.
func New(list []config.Service) *Services { return &Services{list, time.Now} }

// Feature declares the feature. Without services it adds nothing.
func (s *Services) Feature() router.Feature {
	f := router.Feature{
		Name:  "extdisco",
		Specs: []spec.Spec{{Number: "0215", Title: "External Service Discovery", Version: "1.0.0", State: spec.Complete, Note: "Server. The services of the configuration."}},
	}
	if len(s.list) > 0 {
		f.HostIQ = map[string]router.IQHandler{NS: s.iq}
		f.HostDisco = router.Disco{Info: disco.Info{Features: []string{NS}}}
	}
	return f
}

func (s *Services) iq(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Session == nil: // only local accounts may use the operator's services
		return nil, stanza.Forbidden("")
	case q.Stanza.Type != stanza.TypeGet:
		return nil, stanza.BadRequest("")
	case q.Payload.Is(NS, "services"):
		return s.services(q), nil
	case q.Payload.Is(NS, "credentials"):
		return s.credentials(q)
	}
	return nil, stanza.BadRequest("")
}

// services lists all services, or those of one type (XEP-0215 §3.1, §3.2).
func (s *Services) services(q *router.IQ) *stanza.Element {
	wanted := q.Payload.Attr("type")
	all := stanza.NewElement(NS, "services").With("type", wanted)
	for _, c := range s.list {
		if wanted == "" || wanted == c.Type {
			all.Add(s.element(c, q.Session.Account().JID().Local()))
		}
	}
	return all
}

// credentials returns the credentials of one service, which the client may know from another source
// (XEP-0215 §3.3).
func (s *Services) credentials(q *router.IQ) (*stanza.Element, error) {
	asked := q.Payload.Child(NS, "service")
	host, typ, port := asked.Attr("host"), asked.Attr("type"), asked.Attr("port")
	if host == "" || typ == "" {
		return nil, stanza.BadRequest("give the service's host and type")
	}
	all := stanza.NewElement(NS, "credentials")
	found := false
	for _, c := range s.list {
		if c.Host == host && c.Type == typ && (port == "" || port == strconv.Itoa(cmp.Or(c.Port, usualPorts[c.Type]))) && restricted(c) {
			found = true
			all.Add(s.element(c, q.Session.Account().JID().Local()))
		}
	}
	if !found {
		return nil, stanza.ItemNotFound("")
	}
	return all, nil
}

// element returns a service as XML, with credentials for user (XEP-0215 §2).
func (s *Services) element(c config.Service, user string) *stanza.Element {
	e := stanza.NewElement(NS, "service").With("type", c.Type).With("host", c.Host).With("transport", c.Transport).With("name", c.Name)
	if port := cmp.Or(c.Port, usualPorts[c.Type]); port > 0 {
		e.With("port", strconv.Itoa(port)) // recommended by XEP-0215 §2
	}
	if !restricted(c) {
		return e
	}
	e.With("restricted", "true")
	if c.Secret == "" {
		return e.With("username", c.Username).With("password", c.Password)
	}
	expires := s.now().Add(time.Duration(c.Expires))
	username, password := temporary(c.Secret, user, expires)
	return e.With("username", username).With("password", password).With("expires", expires.UTC().Format("2006-01-02T15:04:05Z"))
}

// usualPorts are those of RFC 8489 §8.1 and RFC 8656 §3.
var usualPorts = map[string]int{"stun": 3478, "turn": 3478, "stuns": 5349, "turns": 5349}

// restricted reports whether a service requires credentials.
func restricted(c config.Service) bool { return c.Secret != "" || c.Username != "" || c.Password != "" }
