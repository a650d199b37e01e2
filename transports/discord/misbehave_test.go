package discord

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

const (
	postMessage = "POST /channels/{channel_id}/messages"
	postWebhook = "POST /webhooks/{webhook_id}/{webhook_token}"
)

// scene is one login that is online, and what has become of it.
type scene struct {
	*world
	t *testing.T
	s *client
	k *recorder.Sink
}

// once wants all events with that line to have one key: what comes twice is known by it.
func (c *scene) once(line string) {
	c.t.Helper()
	c.k.Event(c.t, line)
	var keys []string
	for _, e := range c.k.All(line) {
		if !slices.Contains(keys, e.Key) {
			keys = append(keys, e.Key)
		}
	}
	if len(keys) != 1 {
		c.t.Errorf("%q came under the keys %q", line, keys)
	}
}

// lives shows that messages pass in both directions.
func (c *scene) checkMessages() {
	c.t.Helper()
	c.say(c.general, c.ann, "still there?")
	c.k.Event(c.t, "message still there?")
	c.send("yes")
}

func (c *scene) out(text string) transports.Outgoing { return say(c.general, text, "client-"+text) }

func (c *scene) author(text string) transports.Outgoing {
	m := c.out(text)
	m.Author = &transports.Author{Name: "Juliet"}
	return m
}

func (c *scene) send(text string) transports.Sent {
	c.t.Helper()
	sent, err := c.s.Send(c.t.Context(), c.out(text))
	c.must(err)
	return sent
}

// refusal is the error of a message that cannot be sent now.
func (c *scene) refusal(m transports.Outgoing) *transports.Error {
	c.t.Helper()
	var e *transports.Error
	if _, err := c.s.Send(c.t.Context(), m); !errors.As(err, &e) || e.Text == "" {
		c.t.Fatalf("%v", err)
	}
	return e
}

// final wants one final state, with its cause.
func (c *scene) final(state transports.State, words string) {
	c.t.Helper()
	c.k.Await(c.t, "an end", func() bool { return c.k.Reached == state })
	c.k.Lock()
	defer c.k.Unlock()
	if !strings.Contains(c.k.Cause.Error(), words) {
		c.t.Errorf("told %q, want something of %q", c.k.Cause, words)
	}
	if c.k.Finals != 1 {
		c.t.Errorf("told %d times", c.k.Finals)
	}
}

// goesOn wants a connection to be made again, by a RESUME that repeats what was missed or by a new session
// with a gap that is reported.
func (c *scene) goesOn(resumes bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	c.must(c.bot.WaitCounts(ctx, func(n fake.Counts) bool { return resumes && n.Resumed >= 1 || !resumes && n.Identified >= 2 }))
	if !resumes {
		c.k.Await(c.t, "resync", func() bool { return c.k.Resyncs == 1 })
	}
	c.checkMessages()
	c.k.Lock()
	defer c.k.Unlock()
	if resumes && c.k.Resyncs != 0 {
		c.t.Errorf("%d gaps told of a session that was resumed", c.k.Resyncs)
	}
}

// posted wants a message to be in the channel so often.
func (c *scene) posted(text string, times int) {
	c.t.Helper()
	n := 0
	for _, m := range c.Transcript(c.general) {
		if m.Text == text {
			n++
		}
	}
	if n != times {
		c.t.Errorf("%q is there %d times, not %d", text, n, times)
	}
}

// again is the second attempt at a message.
func (c *scene) again(m transports.Outgoing) {
	c.t.Helper()
	m.Attempt = 2
	_, err := c.s.Send(c.t.Context(), m)
	c.must(err)
}

// What the network does wrong, one by one, and that nothing of it is lost, doubled or out of order.
func TestDiscordMisbehaves(t *testing.T) {
	for name, do := range map[string]func(c *scene){
		"close 4004: token not good": func(c *scene) {
			c.bot.ResetToken()
			c.final(transports.NeedsLogin, "link again")
			if e := c.refusal(c.out("x")); e.Class != transports.NeedLogin {
				c.t.Errorf("%+v", e)
			}
		},
		"close 4013: intents invalid":       func(c *scene) { c.bot.Close(4013); c.final(transports.NeedsLogin, "Privileged Gateway Intents") },
		"close 4014: intents not allowed":   func(c *scene) { c.bot.Close(4014); c.final(transports.NeedsLogin, "Privileged Gateway Intents") },
		"close 4012: version gone":          func(c *scene) { c.bot.Close(4012); c.final(transports.Failed, "refuses") },
		"close 4000: unknown error":         func(c *scene) { c.bot.Close(4000); c.goesOn(true) },
		"close 4007: sequence not good":     func(c *scene) { c.bot.Close(4007); c.goesOn(false) },
		"close 4008: too fast":              func(c *scene) { c.bot.Close(4008); c.goesOn(true) },
		"close 4009: session timed out":     func(c *scene) { c.bot.Close(4009); c.goesOn(false) },
		"op 1: heartbeat wanted":            func(c *scene) { c.bot.AskHeartbeat(); c.checkMessages() },
		"op 7: reconnect":                   func(c *scene) { c.bot.Reconnect(); c.goesOn(true) },
		"op 9 true: session may be resumed": func(c *scene) { c.bot.Invalidate(true); c.goesOn(true) },
		"op 9 false: session gone":          func(c *scene) { c.bot.Invalidate(false); c.goesOn(false) },
		"op 9 false in answer to a resume":  func(c *scene) { c.bot.RefuseResume(false); c.bot.Drop(); c.goesOn(false) },
		"connection cut":                    func(c *scene) { c.bot.Drop(); c.goesOn(true) },
		"heartbeat not answered": func(c *scene) {
			c.Lag(-1)
			c.k.Await(c.t, "connecting", func() bool { return c.k.Reached == transports.Connecting })
			c.Lag(0)
			c.goesOn(true)
		},
		"resume with replay": func(c *scene) {
			release := c.HoldEvents()
			c.say(c.general, c.ann, "one")
			c.bot.Drop()
			c.say(c.general, c.ben, "two")
			release()
			c.goesOn(true)
			c.once("message one")
			c.once("message two")
			c.inOrder("message one", "message two", "message still there?")
		},
		"READY with unavailable guilds": func(c *scene) {
			c.GuildOutage(c.guild, true)
			c.bot.Invalidate(false)
			c.k.Await(c.t, "resync", func() bool { return c.k.Resyncs == 1 })
			c.GuildOutage(c.guild, false)
			c.checkMessages()
			c.k.Lock()
			defer c.k.Unlock()
			for _, e := range c.k.Events {
				if _, gone := e.Body.(transports.RoomGone); gone {
					c.t.Errorf("an outage took a room away: %+v", e)
				}
			}
		},
		"429 that no header announced": func(c *scene) {
			c.Inject(postMessage, 1, fake.RateLimit(1500*time.Millisecond))
			if e := c.refusal(c.out("x")); e.Class != transports.Retry || !e.Unsent || e.After != 1500*time.Millisecond {
				c.t.Errorf("%+v", e)
			}
			c.again(c.out("x")) // waits until it may
			c.posted("x", 1)
		},
		"429 for all": func(c *scene) {
			c.Inject(postMessage, 1, fake.GlobalRateLimit(250*time.Millisecond))
			began := time.Now()
			if e := c.refusal(c.out("x")); e.Class != transports.Retry || !e.Unsent {
				c.t.Errorf("%+v", e)
			}
			if _, err := c.s.Room(c.t.Context(), transports.RoomID(c.general)); err != nil {
				c.t.Error(err)
			}
			c.must(c.s.Typing(c.t.Context(), transports.RoomID(c.general), transports.Typing{On: true}))
			if time.Since(began) < 250*time.Millisecond {
				c.t.Error("another call did not wait")
			}
		},
		"429 longer than anybody waits": func(c *scene) {
			c.Inject(postMessage, 1, fake.RateLimit(time.Hour))
			c.refusal(c.out("x"))
			if e := c.refusal(c.out("x")); e.Class != transports.Retry || !e.Unsent || e.After < 59*time.Minute {
				c.t.Errorf("%+v", e)
			}
		},
		"webhook gone": func(c *scene) {
			_, err := c.s.Send(c.t.Context(), c.author("before"))
			c.must(err)
			c.DeleteWebhooks(c.general)
			_, err = c.s.Send(c.t.Context(), c.author("after"))
			c.must(err)
			c.posted("before", 1)
			c.posted("after", 1)
			if n := len(c.Webhooks(c.general)); n != 1 {
				c.t.Errorf("%d webhooks", n)
			}
		},
		"webhook's answer lost": func(c *scene) {
			c.Inject(postWebhook, 1, fake.LoseReply())
			if e := c.refusal(c.author("x")); e.Class != transports.Retry || e.Unsent {
				c.t.Errorf("%+v", e)
			}
			c.again(c.author("x"))
			c.posted("x", 1)
		},
		"answer lost": func(c *scene) {
			c.Inject(postMessage, 1, fake.LoseReply())
			if e := c.refusal(c.out("x")); e.Class != transports.Retry || e.Unsent {
				c.t.Errorf("%+v", e)
			}
			c.again(c.out("x"))
			c.posted("x", 1)
		},
		"answer of HTML": func(c *scene) {
			c.Inject(postMessage, 1, fake.Broken(503))
			if e := c.refusal(c.out("x")); e.Class != transports.Retry {
				c.t.Errorf("%+v", e)
			}
			c.again(c.out("x"))
			c.posted("x", 1)
		},
		"link to a file that has expired": func(c *scene) {
			_, err := c.Post(c.general, c.ann, fake.Post{Text: "see", Files: []fake.File{{Name: "a.txt", Data: []byte("abc")}}})
			c.must(err)
			f := c.k.Event(c.t, "message see").Body.(transports.Message).Files
			c.ExpireLinks()
			body, info, err := c.s.OpenFile(c.t.Context(), f[0].Ref)
			c.must(err)
			data, err := io.ReadAll(body)
			if string(data) != "abc" || err != nil || info.Name != "a.txt" || body.Close() != nil {
				c.t.Errorf("%q %+v %v", data, info, err)
			}
		},
		"echo before the answer of the call": func(c *scene) {
			held := c.Inject(postMessage, 1, fake.HoldReply())
			done := make(chan transports.Sent, 1)
			go func() {
				sent, err := c.s.Send(c.t.Context(), c.out("hello"))
				if err != nil {
					c.t.Error(err)
				}
				done <- sent
			}()
			e := c.k.Event(c.t, "message hello")
			held.Release()
			sent := <-done
			if !e.Own || e.Nonce != nonce("client-hello", 0) || e.Body.(transports.Message).ID != sent.ID {
				c.t.Errorf("the echo is not told apart: %+v", e)
			}
		},
		"webhook's echo before the answer": func(c *scene) {
			held := c.Inject(postWebhook, 1, fake.HoldReply())
			done := make(chan transports.Sent, 1)
			go func() {
				sent, err := c.s.Send(c.t.Context(), c.author("hello"))
				if err != nil {
					c.t.Error(err)
				}
				done <- sent
			}()
			e := c.k.Event(c.t, "message hello")
			held.Release()
			if sent := <-done; !e.Own || e.Body.(transports.Message).ID != sent.ID {
				c.t.Errorf("the echo is not told apart: %+v", e)
			}
		},
		"events after the answer": func(c *scene) {
			release := c.HoldEvents()
			sent := c.send("hello")
			release()
			if e := c.k.Event(c.t, "message hello"); !e.Own || e.Body.(transports.Message).ID != sent.ID {
				c.t.Errorf("%+v", e)
			}
		},
		"partial update for a link's preview": func(c *scene) {
			c.PartialUpdates(true)
			c.say(c.general, c.ann, "see https://x.example/")
			c.checkMessages()
			for _, e := range c.k.Snapshot() {
				if _, edit := e.Body.(transports.Edit); edit {
					c.t.Errorf("a preview is no edit: %+v", e)
				}
			}
		},
		"update for a link's preview": func(c *scene) {
			c.say(c.general, c.ann, "see https://x.example/")
			c.checkMessages()
			for _, e := range c.k.Snapshot() {
				if _, edit := e.Body.(transports.Edit); edit {
					c.t.Errorf("a preview is no edit: %+v", e)
				}
			}
		},
		"several messages deleted at once": func(c *scene) {
			ids := []fake.ID{fake.ID(c.say(c.general, c.ann, "one")), fake.ID(c.say(c.general, c.ann, "two"))}
			c.BulkDelete(c.general, ids...)
			c.k.Await(c.t, "deletions", func() bool {
				n := 0
				for _, e := range c.k.Events {
					if d, ok := e.Body.(transports.Delete); ok && slices.Contains(ids, fake.ID(d.IDs[0])) {
						n++
					}
				}
				return n == 2
			})
		},
		"forum post": func(c *scene) {
			forum := c.AddChannel(c.guild, fake.Channel{Name: "help", Kind: fake.Forum})
			post, err := c.ForumPost(forum, c.ann, "How?", fake.Post{Text: "like this?"})
			c.must(err)
			if e := c.k.Event(c.t, "message like this?"); e.Room != transports.RoomID(post) {
				c.t.Errorf("%+v", e)
			}
			m := say(post, "so", "c1")
			m.Author = &transports.Author{Name: "Juliet"}
			sent, err := c.s.Send(c.t.Context(), m)
			c.must(err)
			c.must(edit(c.s, transports.MessageRef{Room: transports.RoomID(post), ID: sent.ID}, say(post, "so!", "c2")))
			c.must(c.s.Delete(c.t.Context(), transports.MessageRef{Room: transports.RoomID(post), ID: sent.ID}))
			m.Room = transports.RoomID(forum)
			if e := c.refusal(m); e.Class != transports.Refused {
				c.t.Errorf("a message to the forum itself: %+v", e)
			}
		},
		"thread": func(c *scene) {
			start := c.say(c.general, c.ann, "start")
			thread, err := c.StartThread(c.general, fake.ID(start), c.ann, "details")
			c.must(err)
			c.say(thread, c.ben, "inside")
			if e := c.k.Event(c.t, "message inside"); e.Room != transports.RoomID(thread) {
				c.t.Errorf("%+v", e)
			}
			m := say(thread, "answer", "c1")
			m.Author = &transports.Author{Name: "Juliet"}
			sent, err := c.s.Send(c.t.Context(), m)
			c.must(err)
			c.must(edit(c.s, transports.MessageRef{Room: transports.RoomID(thread), ID: sent.ID}, say(thread, "answer!", "c2")))
			c.must(c.s.Delete(c.t.Context(), transports.MessageRef{Room: transports.RoomID(thread), ID: sent.ID}))
		},
		"content left out: no intent": func(c *scene) {
			for range 3 { // as Discord sends it to a bot without the intent
				c.dispatched("MESSAGE_CREATE", `{"id":"`+c.say(c.general, c.ann, "x")+`","channel_id":"`+string(c.general)+`","guild_id":"`+string(c.guild)+
					`","type":0,"content":"","author":{"id":"`+string(c.ann)+`","username":"ann"},"attachments":[],"embeds":[]}`)
			}
			reported, short := 0, 0
			for _, e := range c.k.Snapshot() {
				switch line := recorder.Line(e); {
				case strings.Contains(line, "Message Content Intent") && strings.Contains(line, "discord.com/developers"):
					reported++
				case strings.Contains(line, "does not show"):
					short++
				}
			}
			if reported != 1 || short != 2 {
				c.t.Errorf("told %d times what to switch on, %d times only that something is missing", reported, short)
			}
		},
		"2,000 characters": func(c *scene) {
			m := c.out("x")
			code := strings.Repeat("a := \"*_~`\"\n", 150)
			m.Text = richtext.Text{
				{Kind: richtext.Mention, ID: string(c.ann), Text: "Ann"}, {Text: " " + strings.Repeat("*", 1500) + " "},
				{Kind: richtext.Mention, ID: string(c.ben), Text: "Ben"}, {Kind: richtext.Pre, ID: "go", Text: code}, {Text: strings.Repeat("👩‍👩‍👧‍👦", 300)},
			}
			sent, err := c.s.Send(c.t.Context(), m)
			c.must(err)
			received := strings.Builder{}
			mentioned := 0
			for _, id := range append([]transports.MessageID{sent.ID}, sent.More...) {
				m := c.message(id)
				if n := utf8.RuneCountInString(m.Text); n > maxText || strings.Count(m.Text, "```")%2 != 0 || strings.HasPrefix(m.Text, "\u200d") {
					c.t.Errorf("%d characters: %q", n, m.Text)
				}
				mentioned += len(m.Mentions)
				received.WriteString(content.NewReader(c.s.state, nil, nil).Parse(m.Text).String())
			}
			if mentioned != 2 || len(sent.More) < 2 {
				c.t.Errorf("%d mentions in %d messages", mentioned, 1+len(sent.More))
			}
			bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
			if !strings.Contains(bare(received.String()), bare(code)) || strings.Count(received.String(), "👩‍👩‍👧‍👦") != 300 || strings.Count(received.String(), "*") < 1650 {
				c.t.Errorf("something is lost: %q", received.String())
			}
		},
		"events that nobody knows": func(c *scene) {
			for kind, data := range map[string]string{
				"NEW_THING": `{"id":"1"}`, "MESSAGE_CREATE": `7`, "GUILD_CREATE": `[]`, "CHANNEL_UPDATE": `{"id":5,"type":"x","flags":"y"}`, "MESSAGE_UPDATE": `null`,
				"TYPING_START": `{"timestamp":"soon"}`, "PRESENCE_UPDATE": `{"user":null}`, "MESSAGE_REACTION_ADD": `{"emoji":null}`, "GUILD_MEMBER_ADD": `{}`,
				"READY": `"x"`, "THREAD_LIST_SYNC": `{"threads":[null]}`, "GUILD_ROLE_CREATE": `{"role":null}`, "MESSAGE_DELETE_BULK": `{"ids":null}`,
			} {
				c.dispatched(kind, data)
			}
			c.checkMessages()
		},
		"message with fields of other types": func(c *scene) {
			c.dispatched("MESSAGE_CREATE", `{"id":"`+c.say(c.general, c.ann, "x")+`","channel_id":"`+string(c.general)+`","guild_id":"`+string(c.guild)+
				`","type":0,"content":"odd","author":{"id":"`+string(c.ann)+`","username":"ann"},"flags":"many","embeds":{},"poll":[],"nonce":{}}`)
			c.k.Event(c.t, "message odd")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s, k := w.open(w.link())
			k.Await(t, "the guild", func() bool { return s.state.Channel(string(w.general)) != nil })
			do(&scene{w, t, s, k})
		})
	}
}

// dispatched hands the session an event as the gateway would.
func (c *scene) dispatched(kind, data string) {
	c.t.Helper()
	n := &gatewayEvent{session: "s", key: "s/" + kind, kind: kind, data: []byte(data)}
	if handle := handlers[kind]; handle != nil {
		c.must(c.s.guarded(c.t.Context(), handle, n))
	}
}

func (c *scene) inOrder(lines ...string) {
	c.t.Helper()
	c.k.Lock()
	defer c.k.Unlock()
	at := -1
	for _, line := range lines {
		i := slices.IndexFunc(c.k.Events, func(e transports.Event) bool { return recorder.Line(e) == line })
		if i <= at {
			c.t.Errorf("%q is not in its place:\n%s", line, recorder.Dump(c.k.Events))
		}
		at = i
	}
}

// What an error of the API means for the message, and what its sender is informed of.
func TestErrorsOfDiscord(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	c := &scene{w, t, s, k}
	for _, e := range []struct {
		status, code int
		class        transports.Class
		condition    string
		words        string
	}{
		{400, 50006, transports.Refused, "bad-request", "no text"},
		{403, 50001, transports.Refused, "forbidden", "does not see"},
		{403, 50013, transports.Refused, "forbidden", "lacks a permission"},
		{404, 10003, transports.Refused, "item-not-found", "no such channel"},
		{404, 10008, transports.Refused, "item-not-found", "no longer there"},
		{400, 50035, transports.Refused, "not-acceptable", "does not take"},
		{403, 50007, transports.Refused, "forbidden", "takes no messages"},
		{400, 40333, transports.Retry, "", "blocks us"},
		{403, 40004, transports.Retry, "", "for now"},
	} {
		w.Inject(postMessage, 1, fake.Answer(e.status, e.code, "in Discord's words"))
		got := c.refusal(c.out("x"))
		if got.Class != e.class || got.Condition != e.condition || !strings.Contains(got.Text, e.words) {
			t.Errorf("%d: %+v", e.code, got)
		}
	}
	for _, e := range []*rest.Error{{Status: 401, Code: rest.CodeBadWebhookToken}, {Status: 401}, {Status: 404}, {Status: 404, Code: rest.CodeUnknownWebhook}} {
		if e.Route = "POST " + rest.HookRoute; !rest.HookGone(e) || transports.ClassOf(rest.Classify(e)) != transports.Refused {
			t.Errorf("%+v: %v", e, rest.Classify(e)) // a webhook's token is not the login's
		}
	}
	for _, code := range []int{40001, 50014} {
		err := rest.Classify(&rest.Error{Route: "GET /x", Status: 401, Code: code, Message: "Unauthorized"})
		var e *transports.Error
		if !errors.As(err, &e) || e.Class != transports.NeedLogin || !strings.Contains(e.Text, "link again") {
			t.Errorf("%d: %+v", code, err)
		}
	}
	w.Inject(postMessage, 1, fake.Answer(401, 40001, "Unauthorized"))
	c.refusal(c.out("x"))
	c.final(transports.NeedsLogin, "link again")
}
