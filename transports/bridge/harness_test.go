package bridge_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

var (
	domain = jid.MustParse("echo.example.org")
	ann    = jid.MustParse("ann@example.org")
	phone  = jid.MustParse("ann@example.org/phone")
	desk   = jid.MustParse("ben@example.org/desk")
	boss   = jid.MustParse("boss@example.org")
)

// harness is a gateway to the echo world with a store on the disk and a server around it
// that writes down what it is sent. Time is that of a synctest bubble.
type harness struct {
	*testing.T
	world *faultnet.World
	net   transports.Network
	set   bridge.Settings
	dir   string
	logs  bytes.Buffer
	logMu sync.Mutex

	store       *store.Store
	endpoint    *endpoint
	g           *bridge.Gateway
	end         context.CancelFunc
	over        chan error
	engine      func(tables.Engine) tables.Engine // wraps the store, to make it fail
	trace       func(step string, attrs ...slog.Attr)
	now         func() time.Time
	settle      func(func())
	notified    []notified
	rosterGrant bool
	rosterFault bool                      // roster sets end with an error
	others      func(*stanza.Stanza) bool // takes what is for another service
}

// withGateway runs a test in a bubble with a gateway in it.
func withGateway(t *testing.T, f func(h *harness)) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := &harness{T: t, world: faultnet.NewWorld(), dir: dir}
		h.world.AddUser(transports.UserInfo{ID: "ann", Name: "Ann"})
		h.world.AddUser(transports.UserInfo{ID: "ben", Name: "Ben"})
		h.world.AddUser(transports.UserInfo{ID: "cleo", Name: "Cleo", Email: "cleo@example.net", Title: "Queen", Group: "Egypt"})
		h.world.AddRoom(transports.RoomInfo{ID: "plaza", Kind: transports.Public, Name: "Plaza", Topic: "Everything"}, "ann", "ben", "cleo")
		h.world.AddRoom(transports.RoomInfo{ID: "den", Kind: transports.Private, Name: "Den"}, "ann", "ben", "cleo")
		h.net = faultnet.New(h.world)
		h.set = bridge.Settings{Users: []string{"example.org"}, Admins: []string{boss.String()}, Calls: 1000}
		defer h.stop()
		f(h)
	})
}

// Write keeps the log, so that tests can look for what must not be in it.
func (h *harness) Write(p []byte) (int, error) {
	h.logMu.Lock()
	defer h.logMu.Unlock()
	return h.logs.Write(p)
}

func (h *harness) log() string {
	h.logMu.Lock()
	defer h.logMu.Unlock()
	return h.logs.String()
}

// start opens the store and runs the gateway until stop.
func (h *harness) start() {
	h.Helper()
	synctest.Wait() // other services of the test have done what they had to do with the endpoint before
	var err error
	log := slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.store, err = store.Open(h.Context(), store.Options{URL: storetest.InDir(h, h.dir), Log: log})
	h.check(err)
	var engine tables.Engine = h.store
	if h.engine != nil {
		engine = h.engine(engine)
	}
	database, err := tables.Open(h.Context(), engine)
	h.check(err)
	kept, err := database.Gateway(h.Context(), domain)
	h.check(err)
	keys, err := bridge.LoadKeys("", filepath.Join(h.dir, "key"))
	h.check(err)
	h.endpoint = &endpoint{h: h}
	h.g, err = bridge.New(bridge.Options{
		Network: h.net, Endpoint: h.endpoint, Store: kept, Keys: keys, DeliveryLog: filepath.Join(h.dir, "delivery.log"),
		Settings: h.set, Version: "1.2.3", Log: log, Trace: h.trace, Now: h.now, Archive: h.store.ArchiveSent,
		Notify: h.notify,
	})
	h.check(err)
	ctx, cancel := context.WithCancel(h.Context())
	h.end, h.over = cancel, make(chan error, 1)
	go func() { h.over <- h.g.Run(ctx) }()
	synctest.Wait()
}

func (h *harness) stop() {
	if h.end == nil {
		return
	}
	h.end()
	h.check(<-h.over)
	h.check(h.store.Close())
	h.end = nil
}

func (h *harness) restart() {
	h.stop()
	h.start()
}

func (h *harness) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// endpoint is the server: it keeps what the gateway sends, in order.
type endpoint struct {
	h      *harness
	handle atomic.Pointer[func(*stanza.Stanza)]
	cut    atomic.Bool

	mu   sync.Mutex
	sent []*stanza.Stanza
}

func (e *endpoint) Domain() jid.JID               { return domain }
func (e *endpoint) Handle(f func(*stanza.Stanza)) { e.handle.Store(&f) }

func (e *endpoint) SendAll(list []*stanza.Stanza, _ func(), done func(error)) {
	for _, st := range list {
		e.Send(st)
	}
	if e.h.settle == nil {
		done(nil)
		return
	}
	e.h.settle(func() { done(nil) })
}

// Collect keeps back what is not flushed.
func (e *endpoint) Collect() (send func(*stanza.Stanza), flush func()) {
	var held []*stanza.Stanza
	size := map[jid.JID]int{}
	return func(st *stanza.Stanza) {
			held = append(held, st)
			if size[st.To] += len(st.Payload); size[st.To]-len(st.Payload) > 16<<10 { // a queue may be as small as a stanza may be large
				e.h.Errorf("%d bytes wait for %s", size[st.To], st.To)
			}
		}, func() {
			clear(size)
			for _, st := range held {
				e.Send(st)
			}
			held = nil
		}
}

func (e *endpoint) Send(st *stanza.Stanza) {
	if e.cut.Load() || e.h.others != nil && e.h.others(st) {
		return
	}
	e.mu.Lock()
	e.sent = append(e.sent, st)
	e.mu.Unlock()
	if st.IsRequest() && st.Child("jabber:iq:roster", "query") != nil {
		switch {
		case e.h.rosterGrant:
			go e.deliver(st.Result())
		case e.h.rosterFault:
			go e.deliver(st.ErrorReply(stanza.InternalServerError()))
		}
	}
}

func (e *endpoint) deliver(st *stanza.Stanza) {
	if f := e.handle.Load(); f != nil {
		(*f)(st)
	}
}

// send gives a stanza to the gateway and waits until all is quiet.
func (h *harness) send(st *stanza.Stanza) *stanza.Stanza {
	h.endpoint.deliver(st)
	synctest.Wait()
	return st
}

// received takes what was sent to an address, full or bare, since the last time.
func (h *harness) received(to jid.JID) []*stanza.Stanza {
	synctest.Wait()
	h.endpoint.mu.Lock()
	defer h.endpoint.mu.Unlock()
	var mine, rest []*stanza.Stanza
	for _, st := range h.endpoint.sent {
		if st.To == to || to.IsFull() && st.To == to.Bare() && st.Kind == stanza.Message {
			mine = append(mine, st)
		} else {
			rest = append(rest, st)
		}
	}
	h.endpoint.sent = rest
	return mine
}

// discard drops all that was sent so far.
func (h *harness) discard() {
	synctest.Wait()
	h.endpoint.mu.Lock()
	defer h.endpoint.mu.Unlock()
	h.endpoint.sent = nil
}

// messages takes the messages with a body, a retraction and so on: "from: what".
func (h *harness) messages(to jid.JID) []string {
	var list []string
	for _, st := range h.received(to) {
		if st.Kind != stanza.Message {
			continue
		}
		if s := show(st); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// show is a message in short.
func show(st *stanza.Stanza) string {
	from := st.From.Local()
	if st.From.IsFull() {
		from += "/" + st.From.Resource()
	}
	if from == "" {
		from = "gateway"
	}
	switch {
	case st.Type == stanza.TypeError:
		return from + " error " + st.Err().Condition
	case st.Child("urn:xmpp:receipts", "received") != nil:
		return from + " received " + st.Child("urn:xmpp:receipts", "received").Attr("id")
	case st.Child("urn:xmpp:message-retract:1", "retract") != nil:
		r := st.Child("urn:xmpp:message-retract:1", "retract")
		if r.Child("urn:xmpp:message-moderate:1", "moderated") != nil {
			return from + " moderated"
		}
		return from + " retracted"
	case st.Child("urn:xmpp:reactions:0", "reactions") != nil:
		var all []string
		for r := range st.Child("urn:xmpp:reactions:0", "reactions").Elements() {
			all = append(all, r.Text())
		}
		return from + " reacted " + strings.Join(all, "")
	case st.Child("urn:xmpp:message-correct:0", "replace") != nil:
		return from + " corrected: " + st.Body()
	case st.Child("http://jabber.org/protocol/chatstates", "composing") != nil && st.Body() == "":
		return from + " composing"
	case st.Child("urn:xmpp:chat-markers:0", "displayed") != nil:
		return from + " displayed"
	case st.Child("", "subject") != nil && st.Body() == "":
		return from + " subject: " + st.Tree().ChildText("", "subject")
	case st.Body() != "":
		return from + ": " + st.Body()
	}
	return ""
}

// expect compares what somebody got with what they should have.
func (h *harness) expect(to jid.JID, want ...string) {
	h.Helper()
	got := h.messages(to)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("%s got\n  %s\nwant\n  %s", to, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// link links an account by registration.
func (h *harness) link(who jid.JID, user string) {
	h.Helper()
	x := stanza.NewElement("jabber:iq:register", "query").Add(
		stanza.TextElement("jabber:iq:register", "username", user), stanza.TextElement("jabber:iq:register", "password", "open sesame"))
	iq := h.send(stanza.NewIQ(domain, who, stanza.TypeSet, x))
	synctest.Wait()
	if answer := h.answer(who, iq.ID); answer == nil || answer.Type != stanza.TypeResult {
		h.Fatalf("linking %s: %v\n%s", user, answer, h.log())
	}
	time.Sleep(time.Second)
	synctest.Wait()
}

// answer takes the answer to an IQ.
func (h *harness) answer(to jid.JID, id string) *stanza.Stanza {
	synctest.Wait()
	h.endpoint.mu.Lock()
	defer h.endpoint.mu.Unlock()
	for i, st := range h.endpoint.sent {
		if st.Kind == stanza.IQ && st.To == to && st.ID == id && !st.IsRequest() {
			h.endpoint.sent = append(h.endpoint.sent[:i:i], h.endpoint.sent[i+1:]...)
			return st
		}
	}
	return nil
}

// ask sends an IQ and gives the answer.
func (h *harness) ask(from, to jid.JID, typ string, x *stanza.Element) *stanza.Stanza {
	h.Helper()
	iq := h.send(stanza.NewIQ(to, from, typ, x))
	a := h.answer(from, iq.ID)
	if a == nil {
		h.Fatalf("no answer to %s", iq)
	}
	return a
}

func room(id string) jid.JID { return jid.MustParse(id + "@" + domain.String()) }

func contact(id string) jid.JID { return room(id) }

// join enters a room and forgets what comes with it.
func (h *harness) join(who jid.JID, id string) []*stanza.Stanza {
	h.Helper()
	to, _ := room(id).WithResource("me")
	h.send(stanza.NewPresence(to, who, "", stanza.NewElement("http://jabber.org/protocol/muc", "x")))
	got := h.received(who)
	for _, st := range got {
		if st.Type == stanza.TypeError {
			h.Errorf("joining %s: %s", id, st)
		}
	}
	return got
}

// sendToRoom sends a message to a room.
func (h *harness) sendToRoom(who jid.JID, id, text string, more ...*stanza.Element) *stanza.Stanza {
	st := stanza.NewMessage(room(id), who, stanza.TypeGroupchat, append([]*stanza.Element{stanza.TextElement("", "body", text)}, more...)...)
	return h.send(st)
}

// sendTo sends a message to a contact.
func (h *harness) sendTo(who jid.JID, id, text string, more ...*stanza.Element) *stanza.Stanza {
	st := stanza.NewMessage(contact(id), who, stanza.TypeChat, append([]*stanza.Element{stanza.TextElement("", "body", text)}, more...)...)
	return h.send(st)
}

// expectNetwork compares the messages of a room of the network.
func (h *harness) expectNetwork(id transports.RoomID, want ...string) {
	h.Helper()
	synctest.Wait()
	if got := h.world.Texts(id); fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("%s has\n  %s\nwant\n  %s", id, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func jidOf(s string) jid.JID { return jid.MustParse(s) }

// change changes the database.
func (h *harness) change(query string) {
	h.Helper()
	h.check(h.store.Write(h.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(query)
		return err
	}))
}
