package integration_test

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
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

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// How hard the server is tried, and what it may take.
const (
	hostileStreams = 10_000
	hostileAtOnce  = 64
	hostileUsers   = 20
	dribblers      = 200       // of them, who go on until they are cut off
	hostilePeak    = 256 << 20 // resident bytes, at any time
	hostileAfter   = 64 << 20  // resident bytes more than before, when all is over
	hostileRead    = 15 * time.Second
	seedEnv        = "DRAGOMAN_HOSTILE_SEED"
)

// siege is a server under 10,000 hostile streams.
type siege struct {
	t      *testing.T
	server *peers.Dragoman
	tls    *tls.Config

	mu   sync.Mutex
	done map[string]int // by hostility and stage
}

// TestHostileStreams: none of them takes much memory, leaves a goroutine or a descriptor behind, or disturbs
// two people who chat meanwhile.
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
	components := []peers.Component{{Domain: "evil.play.example", Secret: "evil"}}
	d := peers.StartDragoman(t, peers.Options{
		Setup:  peers.Setup{Host: playHost, Accounts: accounts, Components: components},
		Limits: "connections = 500", Login: "tls_wait = \"3s\"\nwait = \"6s\"",
	})
	calm := goroutinesInPeace(t, d, accounts)
	s := &siege{t: t, server: d, tls: d.TLS.Clone(), done: map[string]int{}}
	s.tls.ServerName, s.tls.ClientSessionCache = playHost, tls.NewLRUClientSessionCache(100)
	chat := startChat(t, d, accounts[0], accounts[1])
	before := usage(t, d)

	s.run(seed)

	chat.stop()
	var after peers.Usage
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := peers.Poll(ctx, func() error {
		if after = usage(t, d); after.Files > before.Files {
			return fmt.Errorf("%d descriptors, %d before", after.Files, before.Files)
		}
		if after.Resident > before.Resident+hostileAfter {
			return fmt.Errorf("%d MiB resident, %d MiB before", after.Resident>>20, before.Resident>>20)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	t.Logf("%d messages each way, slowest %v; resident %d MiB before, %d MiB at most, %d MiB after",
		chat.sent, chat.slowest, before.Resident>>20, after.Peak>>20, after.Resident>>20)
	if after.Peak > hostilePeak {
		t.Errorf("%d MiB resident", after.Peak>>20)
	}
	if d.Log().Contains("panic") {
		t.Error("something panicked")
	}
	if n, err := d.Process().Goroutines(); err != nil || n > calm {
		t.Errorf("%d goroutines, %d in peace: %v", n, calm, err)
	}
	for i, h := range hostilities {
		n := 0
		for st := range stages {
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

// goroutinesInPeace counts those of a server with two people who have chatted, and starts it anew.
func goroutinesInPeace(t *testing.T, d *peers.Dragoman, people []peers.Account) int {
	t.Helper()
	chat := startChat(t, d, people[0], people[1])
	for range 20 {
		chat.exchange()
	}
	chat.stop()
	n, err := d.Process().Goroutines()
	if err != nil {
		t.Fatal(err)
	}
	d.Start()
	return n
}

// run does all hostile streams, some at a time; the dribblers take their time beside them.
func (s *siege) run(seed uint64) {
	var wg sync.WaitGroup
	for i := range dribblers {
		wg.Go(func() { s.dribble(rand.New(rand.NewPCG(seed, uint64(i)))) })
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
	for n := dribblers; n < hostileStreams; n++ {
		numbers <- n
	}
	close(numbers)
	wg.Wait()
}

func key(h int, at stage) string { return fmt.Sprint(h, "/", at) }

// shares say how many of a hundred streams go how far: what costs TLS and a login is rarer.
var shares = [stages]int{atFirst: 25, greeted: 38, secured: 12, known: 4, bound: 11, componentNew: 5, componentOn: 5}

func pick(r *rand.Rand) stage {
	n := r.IntN(100)
	for at, share := range shares {
		if n -= share; n < 0 {
			return stage(at)
		}
	}
	return atFirst
}

// one is one hostile stream.
func (s *siege) one(n int, r *rand.Rand) error {
	at := pick(r)
	i := r.IntN(len(hostilities))
	h := hostilities[i]
	conn, err := s.dial(r, at)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if at == greeted && r.IntN(4) == 0 {
		return halfHandshake(conn, r)
	}
	if conn, err = s.reach(conn, at, fmt.Sprintf("mallory%d", n%hostileUsers)); err != nil {
		return fmt.Errorf("get to stage %d: %w", at, err)
	}
	s.mu.Lock()
	s.done[key(i, at)]++
	s.mu.Unlock()
	got := s.say(conn, h.text(r, at), r)
	expected := h.told != "" && at >= h.from && at != componentNew && (h.from != bound || at == bound) && (at != secured || h.told != "invalid-from")
	if got != "" && expected && !strings.Contains(got, h.told) {
		return fmt.Errorf("%s in stage %d answered by %.300q, not %s", h.name, at, got, h.told)
	}
	return nil
}

// dial connects from one of many addresses, as the limits on each are in force.
func (s *siege) dial(r *rand.Rand, at stage) (net.Conn, error) {
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

// say delivers a text in one of the ways of bad clients. It returns what the server says, if it was listened to.
func (s *siege) say(conn net.Conn, text string, r *rand.Rand) string {
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
	if err := greet(conn); err != nil {
		return err
	}
	if err := talk(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
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

// dribble sends a byte now and then until the server has had enough.
func (s *siege) dribble(r *rand.Rand) {
	at := []stage{atFirst, greeted, secured}[r.IntN(3)]
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
		s.t.Errorf("a dribbler was endured for %v in stage %d", time.Since(begun), at)
	}
}

// reach goes through the stages up to at.
func (s *siege) reach(conn net.Conn, at stage, user string) (net.Conn, error) {
	switch at {
	case atFirst, componentNew:
		return conn, nil
	case componentOn:
		return conn, prove(conn)
	}
	if err := greet(conn); err != nil || at == greeted {
		return conn, err
	}
	if err := talk(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return conn, err
	}
	conn = tls.Client(conn, s.tls)
	if err := greet(conn); err != nil || at == secured {
		return conn, err
	}
	login := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00m"))
	if err := talk(conn, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+login+"</auth>", "<success "); err != nil {
		return conn, err
	}
	if err := greet(conn); err != nil || at == known {
		return conn, err
	}
	return conn, talk(conn, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</iq>")
}

func greet(conn net.Conn) error {
	return talk(conn, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='"+playHost+"' version='1.0'>", "</stream:features>")
}

// prove attaches as a component.
func prove(conn net.Conn) error {
	got, err := answer(conn, "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='evil.play.example'>", "'>")
	if err != nil {
		return err
	}
	_, id, _ := strings.Cut(got, " id='")
	id, _, _ = strings.Cut(id, "'")
	sum := sha1.Sum([]byte(id + "evil"))
	_, err = answer(conn, "<handshake>"+hex.EncodeToString(sum[:])+"</handshake>", "<handshake/>")
	return err
}

func talk(conn net.Conn, text, mark string) error {
	_, err := answer(conn, text, mark)
	return err
}

// answer sends a text and reads until mark.
func answer(conn net.Conn, text, mark string) (string, error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	var got []byte
	buf := make([]byte, 2048)
	for !strings.Contains(string(got), mark) {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w after %q", mark, err, got)
		}
	}
	return string(got), nil
}

// chatting are two people who write to each other, each line when the one before has arrived.
type chatting struct {
	t       *testing.T
	a, b    *client.Conn
	sent    int
	slowest time.Duration
	quit    chan struct{}
	ended   sync.WaitGroup
	once    sync.Once
}
