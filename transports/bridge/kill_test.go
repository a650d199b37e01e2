package bridge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
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

// childDir makes this binary the process that is killed.
const childDir = "BRIDGE_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// pipes is an Endpoint on stdin and stdout: a stanza a line.
type pipes struct {
	mu     sync.Mutex
	handle func(*stanza.Stanza)
}

func (p *pipes) Domain() jid.JID { return domain }

func (p *pipes) Handle(f func(*stanza.Stanza)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handle = f
}

func (p *pipes) SendAll(list []*stanza.Stanza, _ func(), done func(error)) {
	for _, st := range list {
		p.Send(st)
	}
	done(nil)
}

func (p *pipes) Collect() (func(*stanza.Stanza), func()) { return p.Send, func() {} }

func (p *pipes) Send(st *stanza.Stanza) {
	p.mu.Lock()
	defer p.mu.Unlock()
	os.Stdout.Write(append(st.AppendXML(nil, stanza.NSClient), '\n'))
}

// child runs a gateway until it is killed.
func child(dir string) error {
	client, err := rpc.Dial("unix", filepath.Join(dir, "socket"))
	if err != nil {
		return err
	}
	var none int
	if err := client.Call("World.Open", Request{}, &none); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	url, err := storetest.Find(dir)
	if err != nil {
		return err
	}
	st, err := store.Open(context.Background(), store.Options{URL: url, Log: log})
	if err != nil {
		return err
	}
	database, err := tables.Open(context.Background(), st)
	if err != nil {
		return err
	}
	part, err := database.Gateway(context.Background(), domain)
	if err != nil {
		return err
	}
	keys, err := bridge.LoadKeys("", filepath.Join(dir, "key"))
	if err != nil {
		return err
	}
	ends := &pipes{}
	g, err := bridge.New(bridge.Options{
		Network: far{faultnet.New(nil), client}, Endpoint: ends, Store: part, Keys: keys, DeliveryLog: filepath.Join(dir, "delivery.log"), Log: log,
		Settings: bridge.Settings{Users: []string{"example.org"}, Calls: 1000, Stanzas: 100000, Queue: 10000},
	})
	if err != nil {
		return err
	}
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			st, err := parseStanza(lines.Text())
			if err != nil {
				panic(err)
			}
			for { // until the gateway is up
				ends.mu.Lock()
				f := ends.handle
				ends.mu.Unlock()
				if f != nil {
					f(st)
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
	}()
	return g.Run(context.Background())
}

func parseStanza(xml string) (*stanza.Stanza, error) {
	e, err := stanza.ParseElement(xml, stanza.NSClient)
	if err != nil {
		return nil, err
	}
	st := &stanza.Stanza{Kind: stanza.KindOf(e.Local), ID: e.Attr("id"), Type: e.Attr("type")}
	if st.To, err = jid.Parse(e.Attr("to")); err != nil {
		return nil, err
	}
	if st.From, err = jid.Parse(e.Attr("from")); err != nil {
		return nil, err
	}
	st.Payload = stanza.Encode(slices.Collect(e.Elements())...)
	return st, nil
}

// killTest is the test's side: ann's client, which sends again what was not acknowledged.
type killTest struct {
	*testing.T
	dir   string
	world *faultnet.World

	mu      sync.Mutex
	cmd     *exec.Cmd
	in      io.WriteCloser
	unacked []*stanza.Stanza
	got     []*stanza.Stanza  // messages from cleo
	rooms   map[string]string // of the plaza: stanza-id to body
	order   []string
	answers map[string]*stanza.Stanza
	inside  bool
	readers sync.WaitGroup
}

func (k *killTest) start() {
	cmd := exec.Command(os.Args[0])
	storetest.InDir(k, k.dir) // for the process
	cmd.Env = append(os.Environ(), childDir+"="+k.dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		k.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		k.Fatal(err)
	}
	logs, err := os.OpenFile(filepath.Join(k.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		k.Fatal(err)
	}
	cmd.Stderr = logs
	if err := cmd.Start(); err != nil {
		k.Fatal(err)
	}
	logs.Close()
	k.mu.Lock()
	k.cmd, k.in, k.inside = cmd, in, false
	k.mu.Unlock()
	k.readers.Go(func() { k.read(out) })
	k.again(stanza.TypeChat)
}

// again sends what was not acknowledged, in order.
func (k *killTest) again(typ string) {
	k.mu.Lock()
	again := slices.Clone(k.unacked)
	k.mu.Unlock()
	for _, st := range again {
		if st.Type == typ {
			k.write(st)
		}
	}
}

func (k *killTest) write(st *stanza.Stanza) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.in.Write(append(st.AppendXML(nil, stanza.NSClient), '\n')) // a dead process reads nothing
}

func (k *killTest) kill() {
	k.cmd.Process.Kill()
	k.readers.Wait() // to the end of the pipe, which Wait closes
	k.cmd.Wait()
	k.in.Close()
}

// read takes what the gateway sends, to the last line before its death.
func (k *killTest) read(out io.Reader) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return // a torn line did not arrive
		}
		st, err := parseStanza(line)
		if err != nil {
			k.Error(err, line)
			return
		}
		k.take(st)
	}
}

func (k *killTest) take(st *stanza.Stanza) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case st.Kind == stanza.IQ:
		k.answers[st.ID] = st
	case st.Child("urn:xmpp:receipts", "received") != nil:
		k.acked(st.Child("urn:xmpp:receipts", "received").Attr("id"))
	case st.Type == stanza.TypeError:
		k.Errorf("error: %s", st)
	case st.Type == stanza.TypeGroupchat && st.Body() != "":
		k.acked(st.ID)
		if id := stanzaID(st); k.rooms[id] == "" {
			k.rooms[id] = st.Body()
			k.order = append(k.order, id)
		}
	case st.Kind == stanza.Presence && strings.Contains(st.Payload, "code='110'") || strings.Contains(st.Payload, "code=\"110\""):
		k.inside = true
	case st.Kind == stanza.Message && st.From == contact("cleo") && st.Body() != "":
		k.got = append(k.got, st)
	}
}

func (k *killTest) acked(id string) {
	k.unacked = slices.DeleteFunc(k.unacked, func(st *stanza.Stanza) bool { return st.ID == id })
}

// say sends something that has to be acknowledged.
func (k *killTest) say(st *stanza.Stanza) {
	k.mu.Lock()
	k.unacked = append(k.unacked, st)
	k.mu.Unlock()
	k.write(st)
}

// until waits for a condition.
func (k *killTest) until(what string, f func() bool) {
	k.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		k.mu.Lock()
		ok := f()
		k.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(k.dir, "log"))
			k.Fatalf("waited too long for %s\n%s", what, log[max(0, len(log)-4000):])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (k *killTest) ask(st *stanza.Stanza) *stanza.Stanza {
	k.Helper()
	k.write(st)
	var answer *stanza.Stanza
	k.until("an answer", func() bool { answer = k.answers[st.ID]; return answer != nil })
	return answer
}

func (k *killTest) join() {
	to, _ := room("plaza").WithResource("me")
	k.write(stanza.NewPresence(to, phone, "", stanza.NewElement("http://jabber.org/protocol/muc", "x").Add(
		stanza.NewElement("http://jabber.org/protocol/muc", "history").With("maxstanzas", "100"))))
	k.until("entering", func() bool { return k.inside })
	k.again(stanza.TypeGroupchat)
}

// A gateway that is killed tens of times at random moments, while both sides write on:
// every message arrives once and in order, in conversations and rooms, both ways.
func TestKillNine(t *testing.T) {
	t.Parallel()
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	k := &killTest{T: t, dir: t.TempDir(), world: faultnet.NewWorld(), rooms: map[string]string{}, answers: map[string]*stanza.Stanza{}}
	k.world.AddUser(transports.UserInfo{ID: "ann", Name: "Ann"})
	k.world.AddUser(transports.UserInfo{ID: "cleo", Name: "Cleo"})
	k.world.AddRoom(transports.RoomInfo{ID: "plaza", Kind: transports.Public, Name: "Plaza"}, "ann", "cleo")
	serve(t, k.world, filepath.Join(k.dir, "socket"))
	t.Cleanup(func() {
		if t.Failed() {
			k.kill()
			log, _ := os.ReadFile(filepath.Join(k.dir, "log"))
			for line := range strings.Lines(string(log)) {
				if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
					t.Log(line)
				}
			}
		}
	})
	k.start()
	linked := k.ask(stanza.NewIQ(domain, phone, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(
		stanza.TextElement(nsRegister, "username", "ann"), stanza.TextElement(nsRegister, "password", "x"))))
	if linked.Type != stanza.TypeResult {
		t.Fatal(linked)
	}
	// The first words are there before the first kill, so that each room is known.
	k.world.SayDirect("cleo", "ann", "in 0")
	k.until("the first message", func() bool { return len(k.got) == 1 })
	k.join()
	k.world.Say("plaza", "cleo", "room in 0")
	k.until("the first message", func() bool { return len(k.order) == 1 })
	n := 1
	for round := range rounds {
		if round > 0 {
			k.start()
			k.join()
		}
		end := time.Now().Add(time.Duration(5+rand.N(150)) * time.Millisecond)
		for time.Now().Before(end) {
			k.world.SayDirect("cleo", "ann", fmt.Sprint("in ", n))
			k.world.Say("plaza", "cleo", fmt.Sprint("room in ", n))
			k.say(stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, body(fmt.Sprint("out ", n)), stanza.NewElement("urn:xmpp:receipts", "request"), originID(stanza.NewID())))
			k.say(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, body(fmt.Sprint("room out ", n)), originID(stanza.NewID())))
			n++
			time.Sleep(time.Duration(rand.N(10)) * time.Millisecond)
		}
		k.kill()
	}
	k.start()
	k.join()
	k.until("all acknowledgements", func() bool { return len(k.unacked) == 0 })
	k.until("all that cleo wrote", func() bool { return len(k.got) > 0 && k.got[len(k.got)-1].Body() == fmt.Sprint("in ", n-1) })
	k.until("all that was sent", func() bool { return len(k.world.Texts("plaza")) == 2*n-1 })
	k.kill()
	k.check(n)
}

func body(text string) *stanza.Element { return stanza.TextElement("", "body", text) }

func (k *killTest) check(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var in []string
	double := 0
	for i, st := range k.got {
		if i > 0 && st.ID == k.got[i-1].ID {
			double++ // killed between the pipe and the delivery log
			continue
		}
		if strings.HasPrefix(st.Body(), "[Echo cannot be reached") {
			continue // on a busy machine messages wait long enough to be told of
		}
		in = append(in, st.Body())
	}
	var want, wantOut, wantRoomIn, wantRoomOut []string
	for i := range n {
		want = append(want, fmt.Sprint("in ", i))
		wantRoomIn = append(wantRoomIn, fmt.Sprint("cleo: room in ", i))
		if i > 0 {
			wantOut = append(wantOut, fmt.Sprint("ann: out ", i))
			wantRoomOut = append(wantRoomOut, fmt.Sprint("ann: room out ", i))
		}
	}
	k.same("from cleo", in, want)
	k.Logf("%d messages each way, %d came twice under the same id", n, double)
	if double > 8 {
		k.Errorf("%d messages came twice", double)
	}
	var out []string
	for _, text := range k.world.Texts(faultnet.DirectRoom("ann", "cleo")) {
		if strings.HasPrefix(text, "ann") {
			out = append(out, text)
		}
	}
	k.same("to cleo", out, wantOut)
	var roomIn, roomOut []string
	for _, text := range k.world.Texts("plaza") {
		if strings.HasPrefix(text, "ann") {
			roomOut = append(roomOut, text)
		} else {
			roomIn = append(roomIn, text)
		}
	}
	k.same("to the room", roomOut, wantRoomOut)
	k.same("in the room", roomIn, wantRoomIn)
	k.archive(n)
}

// archive compares the room's archive with what was said.
func (k *killTest) archive(n int) {
	db, err := store.Open(k.Context(), store.Options{URL: storetest.InDir(k, k.dir), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		k.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Reader().Query(`SELECT payload FROM bridge_archive a JOIN bridge_rooms r ON r.id = a.room WHERE r.room = 'plaza' ORDER BY seq`)
	if err != nil {
		k.Fatal(err)
	}
	defer rows.Close()
	var in, out, wantIn, wantOut []string
	for rows.Next() {
		var payload string
		if err := rows.Scan(&payload); err != nil {
			k.Fatal(err)
		}
		text := (&stanza.Stanza{Payload: payload}).Body()
		if strings.HasPrefix(text, "room in") {
			in = append(in, text)
		} else {
			out = append(out, text)
		}
	}
	for i := range n {
		wantIn = append(wantIn, fmt.Sprint("room in ", i))
		if i > 0 {
			wantOut = append(wantOut, fmt.Sprint("room out ", i))
		}
	}
	k.same("archived from the network", in, wantIn)
	k.same("archived from us", out, wantOut)
}

func (k *killTest) same(what string, got, want []string) {
	k.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			k.Errorf("%s: %d of %d, they differ at %d: %q", what, len(got), len(want), i, got[max(0, min(i-3, len(got))):min(i+4, len(got))])
			return
		}
	}
}
