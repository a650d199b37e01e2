package push

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// How long a service is left alone after its first error in a row, and at most.
const (
	firstWait   = 5 * time.Second
	longestWait = time.Hour
)

// maxBody is how much of a text a notification contains, in bytes: push services of phones take no more than 4 KiB.
const maxBody = 1024

// services are the services of one account.
type services struct {
	mu     sync.Mutex
	list   []*service
	count  int // messages since a session was active
	recent recent
}

// service is an enabled service with its state.
type service struct {
	Registration
	asked  bool // a notification is under way
	again  bool // there is more to tell since
	errors int  // in a row
	until  time.Time
}

// summary is what a notification says.
type summary struct {
	account        *router.Account
	count, pending int
	from           jid.JID
	body           string
}

// inbound handles a message that sessions receive.
func (p *Push) inbound(ctx context.Context, in *router.Pass) error {
	if isNoMessage(in.Stanza) {
		return nil
	}
	if len(in.Targets) == 0 {
		return nil // see undelivered
	}
	if slices.ContainsFunc(in.Targets, func(b *router.Bound) bool { return b.Reach() == router.Active }) {
		if s := p.accounts.Loaded(in.Account); s != nil {
			s.mu.Lock()
			s.count = 0
			s.mu.Unlock()
		}
		return nil
	}
	if in.Stanza.Type == stanza.TypeGroupchat {
		p.inRoom(ctx, in.Targets[len(in.Targets)-1], in.Stanza, in.Route)
		return nil
	}
	return p.undelivered(ctx, in)
}

// detached notifies the services of messages that were sent to a client whose connection is lost, unless another client in use has them.
func (p *Push) detached(ctx context.Context, b *router.Bound, unacked []*stanza.Stanza) {
	a := b.Account()
	if inUse(a) {
		return
	}
	route := p.host.Router().Route
	for _, st := range unacked {
		switch {
		case isNoMessage(st):
		case st.Type == stanza.TypeGroupchat:
			p.inRoom(ctx, b, st, route)
		default:
			p.direct(ctx, a, st, route)
		}
	}
}

// isNoMessage implements router.Stage.Skip.
func isNoMessage(st *stanza.Stanza) bool { return st.Kind != stanza.Message }

// ended handles a message by which a service ends its notifications (XEP-0357 §9).
func (p *Push) ended(ctx context.Context, in *router.Pass) error {
	if !endsNothing(in.Stanza) && p.stopped(ctx, in) {
		return router.ErrStop
	}
	return nil
}

// endsNothing implements router.Stage.Skip. Not every event of a node is parsed: nsPubsub is the beginning of other namespaces, too.
func endsNothing(st *stanza.Stanza) bool {
	return st.Kind != stanza.Message || !st.MayHave(nsPubsub, "affiliation")
}

// undelivered notifies the services of a message that reaches nobody for now. Errors do not concern the sender.
func (p *Push) undelivered(ctx context.Context, in *router.Pass) error {
	if in.Stanza.Kind == stanza.Message {
		p.direct(ctx, in.Account, in.Stanza, in.Route)
	}
	return nil
}

// direct notifies the services of an account of a message to it.
func (p *Push) direct(ctx context.Context, a *router.Account, st *stanza.Stanza, route func(*stanza.Stanza)) {
	if st.From.Bare() == a.JID() || !important(st) {
		return
	}
	if s := p.servicesOf(ctx, a); s != nil {
		p.notifyAll(ctx, s, a, message{Stanza: st, route: route})
	}
}

// servicesOf returns the enabled services of an account, nil if there are none.
func (p *Push) servicesOf(ctx context.Context, a *router.Account) *services {
	s, err := p.accounts.Get(ctx, a)
	if err != nil {
		p.Log.Warn("push services not read", "account", a.JID(), "err", err)
		return nil
	}
	if len(s.list) == 0 {
		return nil
	}
	return s
}

// message is what is told, with what requests are sent.
type message struct {
	*stanza.Stanza
	route  func(*stanza.Stanza)
	wanted *notification.Wanted // nil: by all clients
}

// wantedBy reports whether the client that has enabled a service is to be notified.
func (m message) wantedBy(to *service) bool {
	return m.wanted == nil || m.wanted.By(notification.ParseIdentity(to.Identity))
}

// notifyAll notifies the services of an account of a message.
func (p *Push) notifyAll(ctx context.Context, s *services, a *router.Account, m message) {
	pending, err := p.store.Pending(ctx, a.JID())
	if err != nil {
		p.Log.Warn("subscription requests not counted", "account", a.JID(), "err", err)
	}
	s.mu.Lock()
	s.count++
	sum := summary{a, s.count, pending, m.From, m.Body()}
	s.mu.Unlock()
	for _, to := range s.list {
		if m.wantedBy(to) {
			p.notify(s, to, sum, m.route)
		}
	}
}

// encrypted are the namespaces of encrypted content.
var encrypted = map[string]bool{
	"urn:xmpp:eme:0": true, "eu.siacs.conversations.axolotl": true, "urn:xmpp:omemo:2": true, "urn:xmpp:openpgp:0": true, "jabber:x:encrypted": true,
}

// important reports whether a person wants to be woken for a message: it has a text or encrypted content, or begins a call. Chat states,
// receipts and the like are not. For messages of rooms see package notification.
func important(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeError, stanza.TypeHeadline, stanza.TypeGroupchat:
		return false
	}
	for e := range st.Tree().Elements() {
		switch {
		case e.Local == "body" && e.Space == stanza.NSClient && e.Text() != "", encrypted[e.Space],
			e.Is("urn:xmpp:jingle-message:0", "propose"), e.Is("urn:xmpp:call-invites:0", "invite"):
			return true
		}
	}
	return false
}

// notify sends a notification, unless one is under way or the service is left alone.
func (p *Push) notify(s *services, to *service, sum summary, route func(*stanza.Stanza)) {
	s.mu.Lock()
	now := p.now()
	ready := !to.asked && !now.Before(to.until)
	to.again = !ready
	to.asked = to.asked || ready
	s.mu.Unlock()
	if !ready {
		return
	}
	request := p.publish(to, sum)
	sent := p.host.Request(request, route, func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
		if again := p.answered(s, to, &sum, answer); again {
			p.notify(s, to, sum, route)
		}
	})
	if !sent {
		s.mu.Lock()
		to.asked = false
		s.mu.Unlock()
	}
}

// publish returns the request of XEP-0357 §7.
func (p *Push) publish(to *service, sum summary) *stanza.Stanza {
	f := form.New(form.Submit, nsSummary, "").Text("message-count", "", strconv.Itoa(sum.count))
	if sum.pending > 0 {
		f.Text("pending-subscription-count", "", strconv.Itoa(sum.pending))
	}
	if p.Contents {
		f.Text("last-message-sender", "", sum.from.String()).Text("last-message-body", "", cut(sum.body))
	}
	item := stanza.NewElement(nsPubsub, "item").Add(stanza.NewElement(NS, "notification").Add(f.Element()))
	e := stanza.NewElement(nsPubsub, "pubsub").Add(stanza.NewElement(nsPubsub, "publish").With("node", to.Node).Add(item))
	if to.Options != "" {
		if x, err := stanza.ParseElement(to.Options, ""); err == nil {
			e.Add(stanza.NewElement(nsPubsub, "publish-options").Add(x))
		}
	}
	return stanza.NewIQ(to.Service, sum.account.JID(), stanza.TypeSet, e)
}

// cut returns the beginning of a text.
func cut(text string) string {
	if len(text) <= maxBody {
		return text
	}
	end := maxBody
	for end > 0 && text[end]&0xC0 == 0x80 { // inside of a character
		end--
	}
	return text[:end]
}

// answered handles the answer of a service, nil if there was none in time (XEP-0357 §7.1). It returns true if there is more to tell, which it
// adds to the summary. It runs in the goroutine of the service's link.
func (p *Push) answered(s *services, to *service, sum *summary, answer *stanza.Stanza) (again bool) {
	var failure *stanza.Error
	if answer != nil {
		failure = answer.Err()
	}
	s.mu.Lock()
	to.asked = false
	var off bool
	if answer != nil && failure == nil {
		to.errors, to.until = 0, time.Time{}
	} else {
		to.errors++
		wait := min(longestWait, firstWait<<min(to.errors-1, 20))
		to.until = p.now().Add(wait)
		off = to.errors >= p.Errors || failure != nil && (failure.Condition == "item-not-found" || failure.Condition == "gone")
	}
	again = to.again && to.errors == 0
	sum.count = s.count
	s.mu.Unlock()
	if off {
		p.failed.Add(1)
		if err := p.disable(context.Background(), sum.account, to.Service, &to.Node); err != nil {
			p.Log.Warn("push service not disabled", "account", sum.account.JID(), "err", err)
		}
	}
	return again
}

// stopped handles a message by which a service takes back the right to publish (XEP-0357 §8).
func (p *Push) stopped(ctx context.Context, in *router.Pass) bool {
	e := in.Stanza.Child(nsPubsub, "pubsub")
	if e == nil || e.Child(nsPubsub, "affiliation").Attr("affiliation") != "none" {
		return false
	}
	s, err := p.accounts.Get(ctx, in.Account)
	if err != nil {
		return false
	}
	node := e.Attr("node")
	for _, to := range s.list {
		if to.Service == in.Stanza.From && to.Node == node {
			if err := p.disable(ctx, in.Account, to.Service, &node); err != nil {
				p.Log.Warn("push service not disabled", "account", in.Account.JID(), "err", err)
			}
			return true
		}
	}
	return false
}

// Arrived begins to count messages anew when a session becomes available. It is a presence.Arrival.
func (p *Push) Arrived(_ context.Context, in *router.Pass) error {
	if s := p.accounts.Loaded(in.Account); s != nil {
		s.mu.Lock()
		s.count = 0
		s.mu.Unlock()
	}
	return nil
}
