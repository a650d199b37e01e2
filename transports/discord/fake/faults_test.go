package fake_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

const aMessage = "POST /channels/{channel_id}/messages"

func TestResumeReplays(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(everything &^ fake.IntentPresences)
	seen := c.seq
	w.id(w.Say(w.general, w.ann, "one"))
	c.expect("MESSAGE_CREATE")
	w.bot.Drop()
	same(t, "cut without a word", c.closed(), -1)
	w.ok(w.bot.WaitOffline(w.ctx))
	w.id(w.Say(w.general, w.ann, "two"))
	d := w.dial(c.resumeAt)
	d.seq = seen // as if "one" had not been kept
	d.resume(c, seen)
	same(t, "replayed", d.expect("MESSAGE_CREATE").M["content"].(string), "one")
	same(t, "missed", d.expect("MESSAGE_CREATE").M["content"].(string), "two")
	d.expect("RESUMED")
	w.id(w.Say(w.general, w.ann, "three"))
	same(t, "live", d.expect("MESSAGE_CREATE").M["content"].(string), "three")
	same(t, "counts", w.bot.Counts().Resumed, 1)
	same(t, "elsewhere", w.bot.Counts().ResumedElsewhere, 0)
}

func TestResumeAtWrongSequenceIsCounted(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds)
	w.bot.Drop()
	c.closed()
	d := w.dial(w.gateway())
	d.seq = c.seq
	d.resume(c, c.seq)
	d.expect("RESUMED")
	same(t, "elsewhere", w.bot.Counts().ResumedElsewhere, 1)
}

func TestClosedByCode(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	for _, code := range []int{4000, 4001, 4002, 4003, 4005, 4008} {
		c := w.online(fake.IntentGuilds)
		w.bot.Close(code)
		same(t, "code", c.closed(), code)
		d := w.dial(c.resumeAt)
		d.seq = c.seq
		d.resume(c, c.seq)
		d.expect("RESUMED")
		d.ws.CloseNow()
		w.ok(w.bot.WaitOffline(w.ctx))
	}
	for _, code := range []int{4004, 4007, 4009} {
		c := w.online(fake.IntentGuilds)
		w.bot.Close(code)
		same(t, "code", c.closed(), code)
		d := w.dial(c.resumeAt)
		d.resume(c, c.seq)
		same(t, "resumable after "+http.StatusText(code), d.expectOp(9).D.(bool), false)
		d.ws.CloseNow()
	}
	c := w.online(fake.IntentGuilds)
	w.bot.Close(4014)
	same(t, "code", c.closed(), 4014)
}

func TestReconnectRequest(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{ReconnectGrace: 30 * time.Millisecond})
	c := w.online(everything &^ fake.IntentPresences)
	w.bot.Reconnect()
	w.id(w.Say(w.general, w.ann, "meanwhile"))
	c.expectOp(7)
	same(t, "code where the client stays", c.closed(), 4000)
	d := w.dial(c.resumeAt)
	d.seq = c.seq
	d.resume(c, c.seq)
	same(t, "missed", d.expect("MESSAGE_CREATE").M["content"].(string), "meanwhile")
	d.expect("RESUMED")
}

func TestInvalidSessions(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds)
	w.bot.Invalidate(true)
	same(t, "resumable", c.expectOp(9).D.(bool), true)
	c.resume(c, c.seq)
	c.expect("RESUMED")
	w.bot.Invalidate(false)
	same(t, "resumable", c.expectOp(9).D.(bool), false)
	d := w.dial(c.resumeAt)
	d.resume(c, c.seq)
	same(t, "resumable", d.expectOp(9).D.(bool), false)
	d.ws.CloseNow()

	e := w.online(fake.IntentGuilds)
	w.bot.Drop()
	e.closed()
	w.bot.RefuseResume(true)
	f := w.dial(e.resumeAt)
	f.seq = e.seq
	f.resume(e, e.seq)
	same(t, "refused once", f.expectOp(9).D.(bool), true)
	f.resume(e, e.seq)
	f.expect("RESUMED")
	f.ws.CloseNow()
	w.ok(w.bot.WaitOffline(w.ctx))
	w.bot.ForgetSessions()
	g := w.dial(e.resumeAt)
	g.resume(e, e.seq)
	same(t, "forgotten", g.expectOp(9).D.(bool), false)
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{ResumeWindow: time.Nanosecond})
	c := w.online(fake.IntentGuilds)
	w.bot.Drop()
	c.closed()
	w.ok(w.bot.WaitOffline(w.ctx))
	d := w.dial(c.resumeAt)
	d.resume(c, c.seq)
	same(t, "too late", d.expectOp(9).D.(bool), false)
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds)
	w.bot.AskHeartbeat()
	c.expectOp(1)
	c.send(1, c.seq)
	c.expectOp(11)
	w.Lag(time.Millisecond)
	c.send(1, c.seq)
	c.expectOp(11)
	w.Lag(-1)
	c.send(1, c.seq)
	w.ok(w.bot.WaitCounts(w.ctx, func(n fake.Counts) bool { return n.Heartbeats == 3 }))
	w.RenameChannel(w.general, "no acknowledgement came")
	c.expect("CHANNEL_UPDATE")
}

func TestInjectedAnswers(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	messages := path("channels", w.general, "messages")
	send := func() answer { return w.call("POST", messages, m{"content": "x"}) }

	w.Inject(aMessage, 1, fake.RateLimit(1500*time.Millisecond))
	a := send()
	if a.status != 429 || a.body["retry_after"] != 1.5 || a.body["global"] != false || a.header.Get("Retry-After") != "2" || a.header.Get("X-RateLimit-Remaining") != "4" {
		t.Errorf("out of bucket: %d %s %v", a.status, a.raw, a.header)
	}
	w.Inject(aMessage, 1, fake.GlobalRateLimit(250*time.Millisecond))
	if a = send(); a.status != 429 || a.body["retry_after"] != 0.25 || a.body["global"] != true || a.header.Get("X-RateLimit-Global") != "true" {
		t.Errorf("global: %d %s %v", a.status, a.raw, a.header)
	}
	w.Inject(aMessage, 1, fake.Answer(404, 10003, "Unknown Channel"))
	if a = send(); a.status != 404 || a.body["code"] != 10003. {
		t.Errorf("refused: %d %s", a.status, a.raw)
	}
	order := w.Inject("", -1, fake.Broken(503))
	for range 3 {
		if a = send(); a.status != 503 || a.body != nil {
			t.Errorf("broken: %d %s", a.status, a.raw)
		}
	}
	same(t, "hits", order.Hits(), 3)
	order.Remove()
	if a = send(); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.raw)
	}
	same(t, "messages", len(w.Transcript(w.general)), 1)
}

func TestLostReply(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	w.Inject(aMessage, 1, fake.LoseReply())
	body := m{"content": "kept", "nonce": "n", "enforce_nonce": true}
	if _, err := w.try("POST", path("channels", w.general, "messages"), body); err == nil {
		t.Error("there was an answer")
	}
	same(t, "stored", len(w.Transcript(w.general)), 1)
	if a := w.call("POST", path("channels", w.general, "messages"), body); a.body["id"] != text(w.Transcript(w.general)[0].ID) {
		t.Errorf("again with the nonce: %s", a.raw)
	}
	same(t, "stored once", len(w.Transcript(w.general)), 1)
}

func TestHangingRequest(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	order := w.Inject(aMessage, 1, fake.Hang())
	ctx, cancel := context.WithCancel(w.ctx)
	r, err := http.NewRequestWithContext(ctx, "POST", w.APIURL()+path("channels", w.general, "messages"), strings.NewReader(`{"content":"x"}`))
	w.ok(err)
	r.Header.Set("Content-Type", "application/json")
	done := make(chan error, 1)
	go func() {
		_, err := w.send(r)
		done <- err
	}()
	w.ok(order.Wait(w.ctx, 1))
	cancel()
	if err := receive(w, done); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	same(t, "stored", len(w.Transcript(w.general)), 0)

	order = w.Inject(aMessage, 1, fake.Hang())
	go func() {
		a, err := w.try("POST", path("channels", w.general, "messages"), m{"content": "x"})
		if err == nil && a.status != http.StatusGatewayTimeout {
			err = errors.New(string(a.raw))
		}
		done <- err
	}()
	w.ok(order.Wait(w.ctx, 1))
	order.Release()
	if err := receive(w, done); err != nil {
		t.Errorf("released: %v", err)
	}
}

func TestEchoBeforeReply(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(everything &^ fake.IntentPresences)
	order := w.Inject(aMessage, 1, fake.HoldReply())
	done := make(chan answer, 1)
	go func() {
		a, err := w.try("POST", path("channels", w.general, "messages"), m{"content": "x", "nonce": "n1"})
		if err != nil {
			t.Error(err)
		}
		done <- a
	}()
	p := c.expect("MESSAGE_CREATE")
	same(t, "nonce", p.M["nonce"].(string), "n1")
	select {
	case <-done:
		t.Error("the reply came first")
	default:
	}
	order.Release()
	same(t, "id", receive(w, done).body["id"].(string), p.M["id"].(string))
}

func TestReplyBeforeEcho(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(everything &^ fake.IntentPresences)
	release := w.HoldEvents()
	a := w.call("POST", path("channels", w.general, "messages"), m{"content": "x"})
	c.silent()
	release()
	same(t, "id", c.expect("MESSAGE_CREATE").M["id"].(string), a.body["id"].(string))
}

func TestTokenResetMidSession(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds)
	w.bot.ResetToken()
	same(t, "code", c.closed(), 4004)
}

func TestOutages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   fake.Outage
		cause  error
		forget bool
	}{
		"dropped, then resumed":   {fake.Dropped, syscall.ECONNRESET, false},
		"refused, then resumed":   {fake.Refused, syscall.ECONNREFUSED, false},
		"dropped and all is lost": {fake.Dropped, syscall.ECONNRESET, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestDiscord(t, fake.Options{})
			old := w.online(everything &^ fake.IntentPresences)
			w.Outage(c.kind)
			same(t, "cut", old.closed(), -1)
			if _, err := w.try("GET", "/users/@me", nil); err == nil {
				t.Error("the API answers")
			} else if c.kind == fake.Refused && !errors.Is(err, c.cause) {
				t.Errorf("the API: %v", err)
			}
			if conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL(), "http://")); err == nil {
				if _, err := conn.Read(make([]byte, 1)); err == nil {
					t.Error("a connection lives")
				}
				conn.Close()
			}
			w.id(w.Say(w.general, w.ann, "meanwhile"))
			w.ok(w.Recover(w.ctx, c.forget))
			d := w.dial(old.resumeAt)
			d.seq = old.seq
			d.resume(old, old.seq)
			if c.forget {
				same(t, "resumable", d.expectOp(9).D.(bool), false)
				return
			}
			same(t, "missed", d.expect("MESSAGE_CREATE").M["content"].(string), "meanwhile")
			d.expect("RESUMED")
		})
	}
}

// TestGarbage is without the checker, which would rightly complain of the client.
func TestGarbage(t *testing.T) {
	t.Parallel()
	s := fake.New(fake.Options{})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, c := range []struct {
		kind websocket.MessageType
		data string
		code int
	}{
		{websocket.MessageText, `hello`, 4002},
		{websocket.MessageText, `{"d":1}`, 4002},
		{websocket.MessageText, `{"op":2,"d":"x"}`, 4002},
		{websocket.MessageText, `{"op":6,"d":[]}`, 4002},
		{websocket.MessageBinary, `{"op":1,"d":1}`, 4002},
		{websocket.MessageText, `{"op":99,"d":1}`, 4003},
	} {
		ws, _, err := websocket.Dial(ctx, "ws"+s.URL()[4:]+"/?v=10&encoding=json", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(ctx, c.kind, []byte(c.data)); err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, _, err = ws.Read(ctx)
		}
		if code := int(websocket.CloseStatus(err)); code != c.code {
			t.Errorf("%s: closed with %d, want %d", c.data, code, c.code)
		}
		ws.CloseNow()
	}
	for url, status := range map[string]int{"/": 404, "/api/v8/users/@me": 400, "/api/users/@me": 400, "/api/v10/nowhere": 404, "/api/v10/gateway?x": 403, "/attachments/1/2/3": 404, "/avatars/1/a.png": 200} {
		res, err := http.Get(s.URL() + url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", url, res.StatusCode, status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
