package integration_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// The number of streams, and what the server may use.
const (
	hostileStreams = 10_000
	hostileAtOnce  = 64
	hostileUsers   = 20
	slowClients    = 200       // of them, who go on until they are cut off
	hostilePeak    = 128 << 20 // resident bytes, at any time
	hostileAfter   = 64 << 20  // resident bytes more than before, when all is over
	hostileRead    = 15 * time.Second
	seedEnv        = "DRAGOMAN_HOSTILE_SEED"

	// A server that is built with the race detector is slow and large: fewer streams, and higher limits.
	raceStreams = 2500
	raceRoom    = 6
)

// hostileRun is a server under 10,000 hostile streams.
type hostileRun struct {
	t      *testing.T
	server *peers.Dragoman
	tls    *tls.Config

	mu       sync.Mutex
	streams  int
	done     map[string]int // by hostility and depth
	answered int            // streams whose stream error was the right one
}

// TestHostileStreams checks that none of the streams takes much memory, leaks a goroutine or a socket, or disturbs
// two clients that chat meanwhile.
func TestHostileStreams(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedEnv); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", seedEnv, seed)
	accounts := []peers.Account{{User: "alice", Password: "a"}, {User: "bob", Password: "b"}}
	for i := range hostileUsers {
		accounts = append(accounts, peers.Account{User: fmt.Sprintf("mallory%d", i), Password: "m"})
	}
	streams, room := hostileStreams, int64(1)
	if os.Getenv("DRAGOMAN_TEST_RACE") != "" {
		streams, room = raceStreams, raceRoom
	}
	components := []peers.Component{{Domain: "evil.test.example", Secret: "evil"}}
	d := peers.StartDragoman(t, peers.Options{
		Setup:  peers.Setup{Host: testHost, Accounts: accounts, Components: components},
		Limits: "rate = \"16 KiB\"", Login: "tls_wait = \"3s\"\nwait = \"6s\"",
	})
	regularClient := goroutinesAtRest(t, d, accounts)
	s := &hostileRun{t: t, server: d, tls: d.TLS.Clone(), streams: streams, done: map[string]int{}}
	s.tls.ServerName, s.tls.ClientSessionCache = testHost, tls.NewLRUClientSessionCache(100)
	before := usage(t, d)
	chat := startChat(t, d, accounts[0], accounts[1])

	s.run(seed)

	chat.stop()
	var after peers.Usage
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := peers.Poll(ctx, func() error {
		if after = usage(t, d); after.Sockets > before.Sockets {
			return fmt.Errorf("%d sockets, %d before", after.Sockets, before.Sockets)
		}
		if after.Resident > before.Resident+room*hostileAfter {
			return fmt.Errorf("%d MiB resident, %d MiB before", after.Resident>>20, before.Resident>>20)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	t.Logf("%d messages each way, slowest %v; resident %d MiB before, %d MiB at most, %d MiB after",
		chat.sent, chat.slowest, before.Resident>>20, after.Peak>>20, after.Resident>>20)
	t.Logf("%d got the right stream error", s.answered)
	if s.answered < streams/10 {
		t.Error("these are too few")
	}
	if after.Peak > room*hostilePeak {
		t.Errorf("%d MiB resident", after.Peak>>20)
	}
	if d.Log().Contains("panic") {
		t.Error("something panicked")
	}
	if left := goroutines(t, d); len(left) > len(regularClient) {
		t.Errorf("%d goroutines, %d in peace:\n%s", len(left), len(regularClient), strings.Join(left, "\n\n"))
	}
	for i, h := range hostileInputs {
		n := 0
		for st := range streamStates {
			n += s.done[key(i, st)]
		}
		if n == 0 {
			t.Errorf("%s was never tried", h.name)
		}
	}
}

func usage(t *testing.T, d *peers.Dragoman) peers.Usage {
	t.Helper()
	u, err := d.Process().Usage()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// goroutinesAtRest are the goroutines of a server after two clients have chatted; it restarts the server.
func goroutinesAtRest(t *testing.T, d *peers.Dragoman, people []peers.Account) []string {
	t.Helper()
	chat := startChat(t, d, people[0], people[1])
	chat.stop()
	regularClient := goroutines(t, d)
	d.Start()
	return regularClient
}

func goroutines(t *testing.T, d *peers.Dragoman) []string {
	t.Helper()
	stacks, err := d.Process().Goroutines()
	if err != nil {
		t.Fatal(err)
	}
	return stacks
}

// run opens all hostile streams, several at a time; the slow clients run beside them.
func (s *hostileRun) run(seed uint64) {
	var wg sync.WaitGroup
	for i := range slowClients {
		wg.Go(func() { s.sendSlowly(rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	numbers := make(chan int)
	for range hostileAtOnce {
		wg.Go(func() {
			for n := range numbers {
				if err := s.one(n, rand.New(rand.NewPCG(seed, uint64(n)))); err != nil {
					s.t.Errorf("stream %d: %v", n, err)
				}
			}
		})
	}
	for n := slowClients; n < s.streams; n++ {
		numbers <- n
	}
	close(numbers)
	wg.Wait()
}

func key(h int, at streamState) string { return fmt.Sprint(h, "/", at) }

// shares say how many of a hundred streams go how far: what costs TLS and a login is rarer.
var shares = [streamStates]int{connected: 25, sawFeatures: 38, sawFeaturesInTLS: 12, loggedIn: 4, bound: 11, componentNew: 5, componentOn: 5}

func pick(r *rand.Rand) streamState {
	n := r.IntN(100)
	for at, share := range shares {
		if n -= share; n < 0 {
			return streamState(at)
		}
	}
	return connected
}

// one opens one hostile stream.
func (s *hostileRun) one(n int, r *rand.Rand) error {
	at := pick(r)
	i := r.IntN(len(hostileInputs))
	h := hostileInputs[i]
	conn, err := s.dial(r, at)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if at == sawFeatures && r.IntN(4) == 0 {
		return halfHandshake(conn, r)
	}
	if conn, err = s.reach(conn, at, fmt.Sprintf("mallory%d", n%hostileUsers)); err != nil {
		return fmt.Errorf("get to depth %d: %w", at, err)
	}
	s.mu.Lock()
	s.done[key(i, at)]++
	s.mu.Unlock()
	got := s.say(conn, h.text(r, at), r)
	expected := h.streamError != "" && at >= h.from && at != componentNew && (h.from != bound || at == bound) && (at != sawFeaturesInTLS || h.streamError != "invalid-from")
	if got == "" || !expected {
		return nil
	}
	s.mu.Lock()
	s.answered++
	s.mu.Unlock()
	if !strings.Contains(got, h.streamError) && !strings.Contains(got, "<conflict ") { // other components of that name
		return fmt.Errorf("%s in depth %d answered by %.300q, not %s", h.name, at, got, h.streamError)
	}
	return nil
}

// dial connects from one of many addresses, as the limits on each are in force.
func (s *hostileRun) dial(r *rand.Rand, at streamState) (net.Conn, error) {
	addr := s.server.ClientAddr
	if at >= componentNew {
		addr = s.server.ComponentAddr
	}
	from := net.IPv4(127, byte(1+r.IntN(200)), byte(r.IntN(250)), byte(1+r.IntN(250)))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: hostileRead}
	conn, err := dialer.Dial("tcp", addr)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(hostileRead))
	}
	return conn, err
}

// say sends a text whole, in pieces or without reading the answer, which it returns if it has read it.
func (s *hostileRun) say(conn net.Conn, text string, r *rand.Rand) string {
	way := r.IntN(8)
	if way == 1 {
		for len(text) > 0 && len(text) < 5000 {
			n := min(1+r.IntN(200), len(text))
			if _, err := io.WriteString(conn, text[:n]); err != nil {
				break
			}
			text = text[n:]
		}
	}
	_, err := io.WriteString(conn, text)
	switch {
	case err != nil && way > 2: // the server has had enough; what it said may be lost with what it did not read
		return ""
	case way == 2: // gone without a word
		reset(conn)
		return ""
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	got, err := io.ReadAll(io.LimitReader(conn, 4<<20))
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		s.t.Errorf("a stream was not ended after %.100q", text)
	}
	if err != nil {
		return ""
	}
	return string(got)
}

func reset(conn net.Conn) {
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn()
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
}

// halfHandshake begins TLS and goes on with something else, or not at all.
func halfHandshake(conn net.Conn, r *rand.Rand) error {
	if err := openStream(conn); err != nil {
		return err
	}
	if err := sendAndAwait(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	hello := []string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x16\x03\x01\xff\xff", "<stream:stream>", "\x80\x2e\x01\x00\x02", "\x15\x03\x03\x00\x02\x02\x28", ""}
	_, _ = io.WriteString(conn, hello[r.IntN(len(hello))])
	if r.IntN(2) == 0 {
		reset(conn)
		return nil
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, conn)
	return nil
}

// sendSlowly sends single bytes until the server closes the connection.
func (s *hostileRun) sendSlowly(r *rand.Rand) {
	at := []streamState{connected, sawFeatures, sawFeaturesInTLS}[r.IntN(3)]
	conn, err := s.dial(r, at)
	if err == nil {
		defer func() { _ = conn.Close() }()
		conn, err = s.reach(conn, at, "")
	}
	if err != nil {
		s.t.Errorf("dribbler: %v", err)
		return
	}
	var ended sync.WaitGroup
	ended.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	begun := time.Now()
	for err == nil && time.Since(begun) < hostileRead {
		_, err = io.WriteString(conn, " ")
		time.Sleep(100 * time.Millisecond) // that is what dribbling is
	}
	ended.Wait()
	if err == nil {
		s.t.Errorf("a dribbler was endured for %v in depth %d", time.Since(begun), at)
	}
}
