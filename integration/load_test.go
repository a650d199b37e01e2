package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// loadEnv says for how long the load lasts, such as 10m.
const loadEnv = "DRAGOMAN_LOAD"

// How many clients take part: a tenth of those online are abusive.
const (
	regularClients = 54
	abusiveClients = 6
	absentPeople   = 5
)

// load is a server under load.
type load struct {
	t             *testing.T
	d             *peers.Dragoman
	seed          uint64
	absent        []peers.Account
	regularClient []*regularClient
	abusiveClient []*abusiveClient
	over          atomic.Bool
	wrong         atomic.Int64

	answers, presences, mail, cuts atomic.Int64
}

// fail reports the first failures; thousands more would add nothing.
func (l *load) fail(format string, args ...any) {
	if l.wrong.Add(1) <= 20 {
		l.t.Errorf(format, args...)
	}
}

func loadTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(loadEnv)
	if text == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("%s is %q, want a duration", loadEnv, text)
	}
	return d
}

// TestLoad runs everything at full speed while a tenth of the clients are abusive. Nothing between the others is
// lost, duplicated or reordered, and at the end the server uses no more memory, goroutines and files than before.
func TestLoad(t *testing.T) {
	length := loadTime(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*length+8*peerTimeout)
	defer cancel()
	l := newLoad(t)
	t.Logf("seed %d, for %v", l.seed, length)

	l.run(ctx, min(length/4, 10*time.Second)) // caches are filled before it counts
	before, held := l.measure(ctx)
	sum := l.run(ctx, length)
	after, left := l.measure(ctx)
	for patience := time.Now().Add(peerTimeout); left.Goroutines > held.Goroutines && time.Now().Before(patience); {
		time.Sleep(time.Second) // what cleans up from time to time may be at work
		after, left = l.measure(ctx)
	}

	t.Logf("in %v: %d messages between healthy clients (%.0f/s), %d for absent ones, %d answers, %d presences, %d connections cut",
		sum.took.Round(time.Millisecond), sum.messages, float64(sum.messages)/sum.took.Seconds(), sum.mail, l.answers.Load(), l.presences.Load(), l.cuts.Load())
	all := sum.messages + sum.mail + l.answers.Load() + l.presences.Load()
	t.Logf("server: CPU %v (%.0f µs for each stanza), resident %.1f MiB before, %.1f at most, %.1f after; heap %.1f and %.1f MiB; goroutines %d and %d",
		(after.CPU - before.CPU).Round(time.Millisecond), float64((after.CPU-before.CPU).Microseconds())/float64(all),
		mib(before.Resident), mib(after.Peak), mib(after.Resident), mib(held.Heap), mib(left.Heap), held.Goroutines, left.Goroutines)
	if left.Goroutines > held.Goroutines {
		t.Errorf("%d goroutines before, %d after", held.Goroutines, left.Goroutines)
	}
	if left.Heap > held.Heap+held.Heap/4+4<<20 {
		t.Errorf("%.1f MiB of heap before, %.1f after", mib(held.Heap), mib(left.Heap))
	}
	if after.Resident > before.Resident+before.Resident/4+8<<20 {
		t.Errorf("%.1f MiB resident before, %.1f after", mib(before.Resident), mib(after.Resident))
	}
	if _, n := l.d.Log().Last("level=ERROR"); n > 0 {
		line, _ := l.d.Log().Last("level=ERROR")
		t.Errorf("%d errors in the log, the last: %s", n, line)
	}
	l.d.Stop()
	intact(t, l.d)
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func newLoad(t *testing.T) *load {
	t.Helper()
	l := &load{t: t, seed: uint64(time.Now().UnixNano())}
	l.d = peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: testHost},
		Limits: fmt.Sprintf("connections = 0\nsessions = 20\nqueue = \"256 KiB\"\nidle = %q\noffline_messages = 1000000\noffline_bytes = \"1024 MiB\"",
			loadIdle),
	})
	var list strings.Builder
	account := func(kind string, i int) peers.Account {
		a := peers.Account{User: fmt.Sprintf("%s%d", kind, i), Password: "secret"}
		fmt.Fprintf(&list, "%s@%s %s\n", a.User, testHost, a.Password)
		return a
	}
	for i := range regularClients {
		l.regularClient = append(l.regularClient, &regularClient{l: l, account: account("calm", i)})
	}
	for i, c := range l.regularClient {
		c.partner = l.regularClient[i^1]
	}
	for i := range abusiveClients {
		l.abusiveClient = append(l.abusiveClient, &abusiveClient{l: l, account: account("wild", i), random: rand.New(rand.NewPCG(l.seed, uint64(i)))})
	}
	for i := range absentPeople {
		l.absent = append(l.absent, account("absent", i))
	}
	if _, err := l.d.Run(list.String(), "account", "import"); err != nil {
		t.Fatal(err)
	}
	return l
}

type sum struct {
	took           time.Duration
	messages, mail int64
}

// run is the load from the first login to the last logout.
func (l *load) run(ctx context.Context, length time.Duration) (s sum) {
	l.t.Helper()
	l.over.Store(false)
	for _, count := range []*atomic.Int64{&l.answers, &l.presences, &l.mail, &l.cuts} {
		count.Store(0)
	}
	for _, c := range l.regularClient {
		c.sent.Store(0)
		c.got.Store(0)
		if err := c.login(ctx); err != nil {
			l.t.Fatal(err)
		}
	}
	for _, c := range l.regularClient {
		if err := c.subscribe(); err != nil {
			l.t.Fatal(err)
		}
	}
	working, stop := context.WithTimeout(ctx, length)
	defer stop()
	begun := time.Now()
	var people sync.WaitGroup
	for _, c := range l.regularClient {
		people.Go(func() { c.work(working) })
	}
	var troublemakers sync.WaitGroup
	for _, w := range l.abusiveClient {
		troublemakers.Go(func() { w.work(working) })
	}
	people.Wait()
	s.took = time.Since(begun)
	l.settle(ctx)
	troublemakers.Wait()
	l.over.Store(true)
	for _, c := range l.regularClient {
		s.messages += c.got.Load()
		if err := c.conn.Close(); err != nil {
			l.fail("%s: %v", c.account.User, err)
		}
		c.reader.Wait()
	}
	s.mail = l.mail.Load()
	l.collect(ctx, length)
	return s
}

// settle waits until every client has received everything.
func (l *load) settle(ctx context.Context) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*peerTimeout)
	defer cancel()
	for _, c := range l.regularClient {
		if err := peers.Poll(ctx, c.settled); err != nil {
			l.fail("%v", err)
		}
	}
}

// collect logs in the accounts that were offline: they get everything that was sent to them in that time, in order.
func (l *load) collect(ctx context.Context, length time.Duration) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 4*peerTimeout+length/2)
	defer cancel()
	for _, a := range l.absent {
		want, got := 0, 0
		for _, c := range l.regularClient {
			want += c.away[a.User]
		}
		conn, err := l.d.Dial(ctx, a, "")
		if err == nil {
			err = conn.Send("<presence/>")
		}
		if err != nil {
			l.t.Fatal(err)
		}
		next := map[string]int{}
		for got < want {
			e, err := conn.Next(ctx)
			if err != nil {
				l.fail("%s: %d of %d messages: %v", a.User, got, want, err)
				break
			}
			if e.Name.Local != "message" {
				continue
			}
			var from string
			var n int
			if _, err := fmt.Sscanf(e.ChildText("body"), "%s %d", &from, &n); err != nil || n != next[from] || !strings.HasPrefix(e.Attr("from"), from+"@") {
				l.fail("%s: message %d of %s is due, this came:\n%s", a.User, next[from], from, e)
			}
			next[from] = n + 1
			got++
		}
		if err := conn.Close(); err != nil {
			l.fail("%s: %v", a.User, err)
		}
	}
}

// measure waits until all connections have ended.
func (l *load) measure(ctx context.Context) (u peers.Usage, s peers.State) {
	l.t.Helper()
	err := peers.Poll(ctx, func() (err error) {
		u, err = l.d.Process().Usage()
		if err == nil && u.Sockets > 5 { // four listeners, and what polls
			err = fmt.Errorf("%d sockets are open although everybody has left", u.Sockets)
		}
		return err
	})
	if err == nil {
		s, err = l.d.Held(ctx)
	}
	if err == nil {
		u, err = l.d.Process().Usage()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return u, s
}
