package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/rpc"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// The echo world of the test's process, used by a gateway in another one that may be
// killed: calls go over net/rpc, events are fetched one by one, and the next fetch
// acknowledges the one before.

// remote serves a world.
type remote struct {
	world *faultnet.World

	mu    sync.Mutex
	count int
	open  map[int]*remoteSession
}

type remoteSession struct {
	full
	events chan transports.Event
	acks   chan struct{}
	dead   chan struct{}
}

// serve answers on a socket until the test ends.
func serve(t *testing.T, w *faultnet.World, socket string) {
	r := &remote{world: w, open: map[int]*remoteSession{}}
	server := rpc.NewServer()
	if err := server.RegisterName("World", &worldRPC{r}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { server.ServeConn(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.closeAll()
		conns.Wait()
	})
}

// closeAll ends the sessions of a gateway that is dead.
func (r *remote) closeAll() {
	r.mu.Lock()
	open := r.open
	r.open = map[int]*remoteSession{}
	r.mu.Unlock()
	for _, s := range open {
		close(s.dead)
		_ = s.Close(context.Background())
	}
}

// remoteSink hands events to whoever fetches them.
type remoteSink struct{ s *remoteSession }

func (k remoteSink) Deliver(ctx context.Context, e transports.Event) error {
	select {
	case k.s.events <- e:
	case <-k.s.dead:
		return errCut
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-k.s.acks:
		return nil
	case <-k.s.dead:
		return errCut
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (remoteSink) State(transports.State, error)        {}
func (remoteSink) Resynced(...transports.RoomID)        {}
func (remoteSink) Save(json.RawMessage)                 {}
func (remoteSink) Rotate(context.Context, []byte) error { return nil }

// worldRPC is what is called over the wire. Args and Reply are JSON.
type worldRPC struct{ r *remote }

type Request struct {
	Session int
	Name    string
	Args    []byte
}

type Reply struct {
	Data  []byte
	Error string
	Class int
}

func (w *worldRPC) Open(a Request, reply *int) error {
	if a.Name == "" { // a new process: the old one's sessions are dead
		w.r.closeAll()
		return nil
	}
	var account transports.Login
	if err := json.Unmarshal(a.Args, &account); err != nil {
		return err
	}
	s := &remoteSession{events: make(chan transports.Event), acks: make(chan struct{}), dead: make(chan struct{})}
	opened, err := faultnet.New(w.r.world).Open(context.Background(), account, remoteSink{s})
	if err != nil {
		return err
	}
	s.full = opened.(full)
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	w.r.count++
	w.r.open[w.r.count] = s
	*reply = w.r.count
	return nil
}

func (w *worldRPC) session(id int) *remoteSession {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.open[id]
}

// Next gives the next event; acked says that the one before is durable.
func (w *worldRPC) Next(a Request, reply *Reply) error {
	s := w.session(a.Session)
	if s == nil {
		return errCut
	}
	if a.Name == "ack" {
		select {
		case s.acks <- struct{}{}:
		case <-s.dead:
			return errCut
		}
	}
	var e transports.Event
	select {
	case e = <-s.events:
	case <-s.dead:
		return errCut
	}
	body, err := transports.MarshalBody(e.Body)
	if err != nil {
		return err
	}
	kind := transports.BodyKind(e.Body)
	e.Body = nil
	reply.Data, err = json.Marshal([]any{kind, json.RawMessage(body), e})
	return err
}

func (w *worldRPC) Call(a Request, reply *Reply) error {
	s := w.session(a.Session)
	if s == nil {
		return errCut
	}
	ctx := context.Background()
	var out any
	var err error
	switch a.Name {
	case "send":
		var m transports.Outgoing
		if err := json.Unmarshal(a.Args, &m); err != nil {
			return err
		}
		out, err = s.Send(ctx, m)
	case "room":
		out, err = s.Room(ctx, transports.RoomID(a.Args))
	case "direct":
		out, err = s.Direct(ctx, transports.UserID(a.Args))
	case "profile":
		out, err = s.Profile(ctx, transports.UserID(a.Args))
	case "members":
		out, err = s.Members(ctx, transports.MemberRequest{Room: transports.RoomID(a.Args), Limit: 100})
	case "rooms":
		var list []transports.RoomInfo
		err = s.Rooms(ctx, func(p []transports.RoomInfo) error { list = append(list, p...); return nil })
		out = list
	case "contacts":
		var list []transports.UserInfo
		err = s.Contacts(ctx, func(p []transports.UserInfo) error { list = append(list, p...); return nil })
		out = list
	case "history":
		var args transports.HistoryRequest
		if err := json.Unmarshal(a.Args, &args); err != nil {
			return err
		}
		var page historyPage
		var found transports.HistoryPage
		found, err = s.History(ctx, args)
		page.More = found.More
		for _, e := range found.Events {
			body, err := transports.MarshalBody(e.Body)
			if err != nil {
				return err
			}
			e.Body = nil
			page.Events, page.Bodies = append(page.Events, e), append(page.Bodies, body)
		}
		out = page
	}
	if err != nil {
		reply.Error, reply.Class = err.Error(), int(transports.ClassOf(err))
		return nil
	}
	reply.Data, err = json.Marshal(out)
	return err
}

type historyPage struct {
	Events []transports.Event
	Bodies []json.RawMessage
	More   bool
}

// far is the network as the killed process has it.
type far struct {
	transports.Network
	client *rpc.Client
}

func (n far) ClientType() transports.Client { return &farSession{} }

func (n far) StartLogin(context.Context, transports.LoginRequest) (transports.LoginProcess, error) {
	return farLogin{n.client}, nil
}

// farLogin has the world of the other process log in.
type farLogin struct{ client *rpc.Client }

func (l farLogin) Next(_ context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{Form: []transports.Field{{Key: "name", Label: "Name"}, {Key: "password", Label: "Password", Secret: true}}}, nil
	}
	args, err := json.Marshal(answers)
	if err != nil {
		return transports.Step{}, err
	}
	var data []byte
	if err := l.client.Call("World.Login", Request{Args: args}, &data); err != nil {
		return transports.Step{}, err
	}
	var account transports.Login
	err = json.Unmarshal(data, &account)
	return transports.Step{Done: &account}, err
}

func (farLogin) Cancel() {}

// Login logs in with a name and a password.
func (w *worldRPC) Login(a Request, reply *[]byte) error {
	var answers map[string]string
	if err := json.Unmarshal(a.Args, &answers); err != nil {
		return err
	}
	login, err := faultnet.New(w.r.world).StartLogin(context.Background(), transports.LoginRequest{Flow: "password"})
	if err != nil {
		return err
	}
	step, err := login.Next(context.Background(), answers)
	if err != nil {
		return err
	}
	*reply, err = json.Marshal(step.Done)
	return err
}

func (n far) Open(ctx context.Context, a transports.Login, sink transports.Sink) (transports.Client, error) {
	args, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	s := &farSession{client: n.client}
	if err := n.client.Call("World.Open", Request{Name: "open", Args: args}, &s.id); err != nil {
		return nil, transports.Later(0, err)
	}
	go s.run(ctx, sink)
	return s, nil
}

// farSession leaves out what this test has no use for.
type farSession struct {
	full
	client *rpc.Client
	id     int
}

// run fetches events. It ends with the process.
func (s *farSession) run(ctx context.Context, sink transports.Sink) {
	sink.State(transports.Online, nil)
	ack := ""
	for ctx.Err() == nil {
		var reply Reply
		if err := s.client.Call("World.Next", Request{Session: s.id, Name: ack}, &reply); err != nil {
			return
		}
		var kind string
		var body json.RawMessage
		var e transports.Event
		if err := json.Unmarshal(reply.Data, &[]any{&kind, &body, &e}); err != nil {
			panic(err)
		}
		var err error
		if e.Body, err = transports.UnmarshalBody(kind, body); err != nil {
			panic(err)
		}
		if sink.Deliver(ctx, e) == nil {
			ack = "ack"
		}
	}
}

func (s *farSession) Close(context.Context) error { return nil }

func farCall[T any](s *farSession, name string, args []byte) (out T, err error) {
	var reply Reply
	if err := s.client.Call("World.Call", Request{Session: s.id, Name: name, Args: args}, &reply); err != nil {
		return out, transports.Later(0, err)
	}
	if reply.Error != "" {
		return out, &transports.Error{Class: transports.Class(reply.Class), Text: reply.Error, Err: errors.New(reply.Error)}
	}
	return out, json.Unmarshal(reply.Data, &out)
}

func (s *farSession) Send(_ context.Context, m transports.Outgoing) (transports.Sent, error) {
	m.Known = nil
	args, err := json.Marshal(m)
	if err != nil {
		return transports.Sent{}, err
	}
	return farCall[transports.Sent](s, "send", args)
}

func (s *farSession) Room(_ context.Context, id transports.RoomID) (transports.RoomInfo, error) {
	return farCall[transports.RoomInfo](s, "room", []byte(id))
}

func (s *farSession) Direct(_ context.Context, user transports.UserID) (transports.RoomID, error) {
	return farCall[transports.RoomID](s, "direct", []byte(user))
}

func (s *farSession) Profile(_ context.Context, user transports.UserID) (transports.UserInfo, error) {
	return farCall[transports.UserInfo](s, "profile", []byte(user))
}

func (s *farSession) Members(_ context.Context, request transports.MemberRequest) (transports.MemberPage, error) {
	return farCall[transports.MemberPage](s, "members", []byte(request.Room))
}

func (s *farSession) Rooms(_ context.Context, page func([]transports.RoomInfo) error) error {
	list, err := farCall[[]transports.RoomInfo](s, "rooms", nil)
	if err != nil {
		return err
	}
	return page(list)
}

func (s *farSession) Contacts(_ context.Context, page func([]transports.UserInfo) error) error {
	list, err := farCall[[]transports.UserInfo](s, "contacts", nil)
	if err != nil {
		return err
	}
	return page(list)
}

func (s *farSession) History(_ context.Context, request transports.HistoryRequest) (transports.HistoryPage, error) {
	args, err := json.Marshal(request)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	page, err := farCall[historyPage](s, "history", args)
	for i := range page.Events {
		if page.Events[i].Body, err = transports.UnmarshalBody("message", page.Bodies[i]); err != nil {
			return transports.HistoryPage{}, err
		}
	}
	return transports.HistoryPage{Events: page.Events, More: page.More}, err
}
