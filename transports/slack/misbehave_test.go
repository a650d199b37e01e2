package slack

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// scene is one login that is online, and what has become of it.
type scene struct {
	*world
	t *testing.T
	s *client
	k *recorder.Sink
}

// keys are the different keys of the events with that line: what comes twice has one.
func (c *scene) keys(line string) []string {
	var keys []string
	for _, e := range c.k.All(line) {
		if !slices.Contains(keys, e.Key) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// once waits until everything before has been delivered, and wants one event with that line.
func (c *scene) once(line string) {
	c.t.Helper()
	c.k.Event(c.t, line)
	c.settled()
	if keys := c.keys(line); len(keys) != 1 {
		c.t.Errorf("%q came under the keys %q", line, keys)
	}
}

// settled waits until Slack has nothing left to send again.
func (c *scene) settled() {
	c.t.Helper()
	if !c.server.Await(deadline(c.t), func() bool { return c.app.Unacknowledged() == 0 }) {
		c.t.Errorf("%d envelopes are not acknowledged", c.app.Unacknowledged())
	}
}

// lives shows that messages pass in both directions.
func (c *scene) checkMessages() {
	c.t.Helper()
	c.ben.Say(c.general, "still there?")
	c.k.Event(c.t, "message still there?")
	c.send("yes")
}

func (c *scene) send(text string) transports.Sent {
	c.t.Helper()
	sent, err := c.s.Send(c.t.Context(), c.out(text))
	if err != nil {
		c.t.Fatal(err)
	}
	return sent
}

func (c *scene) out(text string) transports.Outgoing {
	out := outgoing(text, "client-"+text)
	out.Room = c.room()
	return out
}

// refusal is the error of a message that cannot be sent now.
func (c *scene) refusal() *transports.Error {
	c.t.Helper()
	var e *transports.Error
	if _, err := c.s.Send(c.t.Context(), c.out("x")); !errors.As(err, &e) || e.Text == "" {
		c.t.Fatalf("%v", err)
	}
	return e
}

// relink wants one request to link again, with the reason.
func (c *scene) relink(words string) {
	c.t.Helper()
	c.k.Await(c.t, "needs login", func() bool { return c.k.Reached == transports.NeedsLogin })
	c.k.Lock()
	defer c.k.Unlock()
	if !strings.Contains(c.k.Cause.Error(), words) {
		c.t.Errorf("told %q, want something of %q", c.k.Cause, words)
	}
	if n := c.k.Finals; n != 1 {
		c.t.Errorf("told %d times", n)
	}
}

// What the network does wrong, one by one, and that nothing of it is lost, doubled or out of order.
func TestSlackMisbehaves(t *testing.T) {
	for name, do := range map[string]func(c *scene){
		"user token revoked in mid-session": func(c *scene) {
			c.server.Revoke(c.userTok)
			c.relink("revoked")
			if e := c.refusal(); e.Class != transports.NeedLogin {
				c.t.Errorf("%+v", e)
			}
		},
		"user token expired": func(c *scene) {
			c.server.Expire(c.userTok)
			if e := c.refusal(); e.Class != transports.NeedLogin {
				c.t.Errorf("%+v", e)
			}
			c.relink("expired")
		},
		"app-level token revoked in mid-session": func(c *scene) {
			c.server.Revoke(c.app.Token)
			c.server.DropSockets()
			c.relink("token")
		},
		"app uninstalled": func(c *scene) {
			c.app.Uninstall(c.acme)
			c.relink("removed")
		},
		"account deactivated": func(c *scene) {
			c.ann.Deactivate()
			if e := c.refusal(); e.Class != transports.NeedLogin {
				c.t.Errorf("%+v", e)
			}
			c.relink("deactivated")
		},
		"bot token revoked": func(c *scene) {
			login := c.link("")
			login.ID = "a2"
			s, k := c.open(login)
			c.server.Revoke(c.install.Token)
			(&scene{c.world, c.t, s, k}).relink("revoked")
		},
		"somebody else's token revoked": func(c *scene) {
			c.server.Revoke(c.app.Link(c.ben))
			c.checkMessages()
		},
		"disconnect: warning":           func(c *scene) { c.disconnected("warning") },
		"disconnect: refresh requested": func(c *scene) { c.disconnected("refresh_requested") },
		"disconnect: link disabled":     func(c *scene) { c.disconnected("link_disabled") },
		"socket cut without a word": func(c *scene) {
			gap := c.k.Gap(c.t)
			c.server.DropSockets()
			c.ben.Say(c.general, "in the gap")
			c.once("message in the gap")
			gap()
			c.checkMessages()
		},
		"socket that has died silently": func(c *scene) {
			gap := c.k.Gap(c.t)
			c.app.Stall()
			m := c.ben.Say(c.general, "into the void")
			gap()
			past, err := c.s.History(c.t.Context(), transports.HistoryRequest{Room: c.room(), Limit: 1})
			if err != nil || len(past.Events) != 1 || past.Events[0].Key != m.TS {
				c.t.Errorf("%+v %v", past, err)
			}
			c.checkMessages()
		},
		"envelope redelivered with retry_attempt": func(c *scene) {
			c.ben.Say(c.general, "again")
			c.once("message again")
			c.app.Redeliver(1)
			c.once("message again")
		},
		"acknowledgements dropped": func(c *scene) {
			c.app.DropAcks(3)
			c.ben.Say(c.general, "one")
			c.ben.Say(c.general, "two")
			c.once("message two")
			c.once("message one")
		},
		"events left out: more than Slack sends": func(c *scene) {
			gap := c.k.Gap(c.t)
			c.app.SendRaw([]byte(`{"type":"events_api","envelope_id":"0b4f6f0a-8b1e-4c0e-a5d7-0123456789ab","accepts_response_payload":false,"payload":{"type":"app_rate_limited","team_id":"` +
				c.acme.ID + `","minute_rate_limited":1700000000,"api_app_id":"` + c.app.ID + `"}}`))
			gap()
			c.checkMessages()
		},
		"unknown event type": func(c *scene) {
			c.app.SendEvent(c.acme, map[string]any{"type": "no_such_event", "event_ts": "1.000001"})
			c.checkMessages()
			c.settled()
		},
		"frames that are none": func(c *scene) {
			for _, frame := range []string{`{`, `[]`, `"x"`, `{"type":"events_api"}`, `{"type":"weather","envelope_id":"0b4f6f0a-8b1e-4c0e-a5d7-0123456789ab","payload":7}`, `{"type":"hello","num_connections":"many"}`} {
				c.app.SendRaw([]byte(frame))
			}
			c.checkMessages()
		},
		"event with fields of other types": func(c *scene) {
			c.app.SendEvent(c.acme, map[string]any{
				"type": "message", "channel": c.general.ID, "user": c.ben.ID, "text": "odd", "ts": "1700000000.000100", "event_ts": "1700000000.000100",
				"edited": "no", "files": []any{map[string]any{"id": "F1", "size": "big", "name": "a.txt"}}, "reply_count": "3", "metadata": []any{},
			})
			e := c.k.Event(c.t, "message odd")
			if f := e.Body.(transports.Message).Files; len(f) != 1 || f[0].Name != "a.txt" {
				c.t.Errorf("%+v", f)
			}
			c.settled()
		},
		"echo before the answer of the call": func(c *scene) {
			c.server.Break("chat.postMessage", 1, fake.EchoFirst())
			sent := c.send("hello")
			e := c.k.Event(c.t, "message hello")
			if !e.Own || e.Body.(transports.Message).ID != sent.ID {
				c.t.Errorf("the echo is not told apart: %+v", e)
			}
		},
		"answer lost": func(c *scene) {
			c.server.Break("chat.postMessage", 1, fake.LostReply())
			if e := c.refusal(); e.Class != transports.Retry || e.Unsent {
				c.t.Errorf("%+v", e)
			}
			again := c.out("x")
			again.Attempt = 2
			if _, err := c.s.Send(c.t.Context(), again); err != nil {
				c.t.Error(err)
			}
			c.posted("x")
		},
		"429 with Retry-After": func(c *scene) {
			c.server.Break("chat.postMessage", 1, fake.RateLimited(7*time.Second))
			if e := c.refusal(); e.Class != transports.Retry || e.After != 7*time.Second || !e.Unsent {
				c.t.Errorf("%+v", e)
			}
			c.send("x")
			c.posted("x")
		},
		"429 to a question of our own": func(c *scene) {
			c.server.Break("users.info", 1, fake.RateLimited(time.Second))
			if u, err := c.s.Profile(c.t.Context(), userID(c.acme.ID, c.ben.ID)); err != nil || u.Name != "Ben Best" {
				c.t.Errorf("%+v %v", u, err)
			}
		},
		"file stub without an address": func(c *scene) {
			c.server.StubFiles(true)
			m := c.ben.Share(c.general, "see", fake.Message{}, fake.FileSpec{Name: "plan.txt", Data: []byte("abc")})
			f := c.k.Event(c.t, "message see").Body.(transports.Message).Files
			if len(f) != 1 || f[0].Name != "plan.txt" || f[0].URL == "" || f[0].Size != 3 {
				c.t.Errorf("%+v", f)
			}
			c.settled()
			if n := len(c.k.All("message see")); n != 1 { // file_shared and file_created come too
				c.t.Errorf("%d messages of one file", n)
			}
			past, err := c.s.History(c.t.Context(), transports.HistoryRequest{Room: c.room(), Limit: 1})
			if err != nil || len(past.Events) != 1 || past.Events[0].Key != m.TS || past.Events[0].Body.(transports.Message).Files[0].Name != "plan.txt" {
				c.t.Errorf("%+v %v", past, err)
			}
		},
		"file stub that nobody may look at": func(c *scene) {
			c.server.StubFiles(true)
			c.server.SetScopes(c.userTok, "channels:history", "channels:read", "chat:write", "users:read")
			c.ben.Share(c.general, "see", fake.Message{}, fake.FileSpec{Name: "plan.txt", Data: []byte("abc")})
			if f := c.k.Event(c.t, "message see").Body.(transports.Message).Files; len(f) != 1 || f[0].Name == "" {
				c.t.Errorf("%+v", f)
			}
			c.checkMessages()
		},
		"edit":                                func(c *scene) { c.edited() },
		"edit without the previous message":   func(c *scene) { c.server.EmptyPrevious(true); c.edited() },
		"preview of a link":                   func(c *scene) { c.unfurled() },
		"delete":                              func(c *scene) { c.deleted(false) },
		"tombstone of a message with replies": func(c *scene) { c.deleted(true) },
		"thread broadcast": func(c *scene) {
			root := c.ben.Say(c.general, "root")
			c.ben.Reply(root, "aside")
			c.ben.Broadcast(root, "to all")
			for _, line := range []string{"message aside", "message to all"} {
				c.once(line)
				if m := c.k.All(line)[0].Body.(transports.Message); string(m.Thread) != root.TS {
					c.t.Errorf("%s: %+v", line, m)
				}
			}
		},
		"me_message": func(c *scene) {
			c.ben.Me(c.general, "waves")
			if m := c.k.Event(c.t, "message waves").Body.(transports.Message); !m.Me {
				c.t.Errorf("%+v", m)
			}
		},
		"huddle": func(c *scene) {
			c.ben.StartHuddle(c.general)
			e := c.k.Event(c.t, "call")
			if call := e.Body.(transports.Call); call.URL == "" || call.Ended || e.Actor != userID(c.acme.ID, c.ben.ID) || e.Room != c.room() {
				c.t.Errorf("%+v", e)
			}
			c.ben.EndHuddle(c.general)
			c.k.Await(c.t, "its end", func() bool {
				return slices.ContainsFunc(c.k.Events, func(e transports.Event) bool { call, ok := e.Body.(transports.Call); return ok && call.Ended })
			})
			c.settled()
			if n := len(c.keys("call")); n != 2 {
				c.t.Errorf("%d calls", n)
			}
		},
		"presence is pushed in RTM only": func(c *scene) {
			c.app.SendEvent(c.acme, map[string]any{"type": "presence_change", "user": c.ben.ID, "presence": "active", "event_ts": "1.000001"})
			c.checkMessages()
			c.settled()
			if len(c.k.All("presence")) != 0 {
				c.t.Error("a presence that no Socket Mode app gets was believed")
			}
		},
		"answer of HTML":       func(c *scene) { c.passes(fake.ServerError(503)) },
		"half an answer":       func(c *scene) { c.passes(fake.Garbage()) },
		"error after the deed": func(c *scene) { c.passes(fake.FailsAfter(500)) },
		"channel archived": func(c *scene) {
			c.server.Break("chat.postMessage", 1, fake.Refused("is_archived"))
			if e := c.refusal(); e.Class != transports.Refused || e.Condition != "not-allowed" {
				c.t.Errorf("%+v", e)
			}
			c.checkMessages()
		},
		"pages that are short": func(c *scene) {
			var want []string
			for range 5 {
				want = append(want, c.ben.Say(c.general, "page").TS)
			}
			c.server.ShortPages(1)
			page, err := c.s.History(c.t.Context(), transports.HistoryRequest{Room: c.room(), After: transports.MessageID(want[0]), Limit: 10})
			var got []string
			for _, e := range page.Events {
				got = append(got, e.Key)
			}
			if err != nil || page.More || !slices.Equal(got, want) { // the first one could have been overtaken
				c.t.Errorf("%q %v %v, want %q", got, page.More, err, want)
			}
		},
		"a message overtaken by the last one that came": func(c *scene) {
			var want []string
			for range 5 {
				want = append(want, c.ben.Say(c.general, "line").TS)
			}
			page, err := c.s.History(c.t.Context(), transports.HistoryRequest{Room: c.room(), After: transports.MessageID(want[2]), Limit: 1})
			var got []string
			for _, e := range page.Events {
				got = append(got, e.Key)
			}
			if err != nil || !page.More || !slices.Equal(got, want[:4]) { // beyond the limit of one after the third
				c.t.Errorf("%q %v %v, want %q", got, page.More, err, want[:4])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				if strings.Contains(name, "silently") { // elsewhere a busy machine is no dead socket
					o.Silence = 2500 * time.Millisecond
				}
			})
			s, k := w.open(w.link(w.userTok))
			do(&scene{w, t, s, k})
		})
	}
}

func (c *scene) disconnected(reason string) {
	c.t.Helper()
	c.app.Disconnect(reason)
	if !c.server.Await(deadline(c.t), func() bool { return c.app.Sockets() > 0 }) {
		c.t.Fatal("no socket again")
	}
	c.checkMessages()
	c.settled()
}

// posted wants a message to be in the channel once.
func (c *scene) posted(text string) {
	c.t.Helper()
	n := 0
	for _, m := range c.general.Transcript() {
		if m.Text == text {
			n++
		}
	}
	if n != 1 {
		c.t.Errorf("%q is there %d times", text, n)
	}
}

// passes wants a failure that may have come after the deed to be tried again, without a second message.
func (c *scene) passes(f fake.Fault) {
	c.t.Helper()
	c.server.Break("chat.postMessage", 1, f)
	if e := c.refusal(); e.Class != transports.Retry || e.Unsent {
		c.t.Errorf("%+v", e)
	}
	again := c.out("x")
	again.Attempt = 2
	if _, err := c.s.Send(c.t.Context(), again); err != nil {
		c.t.Error(err)
	}
	c.posted("x")
}

func (c *scene) edited() {
	c.t.Helper()
	m := c.ben.Say(c.general, "draft")
	c.ben.Edit(m, "final")
	c.once("edit final")
	if id := c.k.All("edit final")[0].Body.(transports.Edit).ID; string(id) != m.TS {
		c.t.Errorf("%s, want %s", id, m.TS)
	}
	c.once("message draft")
}

func (c *scene) unfurled() {
	c.t.Helper()
	m := c.ben.Say(c.general, "https://x.example")
	c.server.Unfurl(m, "https://x.example", "X")
	c.checkMessages()
	for _, e := range c.k.All("edit https://x.example") {
		c.t.Errorf("a preview is no edit: %+v", e)
	}
}

func (c *scene) deleted(replies bool) {
	c.t.Helper()
	m := c.ben.Say(c.general, "oops")
	if replies {
		c.ben.Reply(m, "what?")
	}
	c.ben.Delete(m)
	c.once("delete")
	if ids := c.k.All("delete")[0].Body.(transports.Delete).IDs; len(ids) != 1 || string(ids[0]) != m.TS {
		c.t.Errorf("%v, want %s", ids, m.TS)
	}
}
