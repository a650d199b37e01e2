package discord

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNetworkKeepsItsContract(t *testing.T) {
	t.Parallel()
	n, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := transports.CheckNetwork(n); err != nil {
		t.Error(err)
	}
}

func TestLogin(t *testing.T) {
	w := newWorld(t)
	login := w.link()
	if login.User != transports.UserID(w.bot.ID()) {
		t.Errorf("%q", login.User)
	}
	for name, token := range map[string]string{"none": "", "wrong": "no.such.token"} {
		process, _ := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "bot"})
		if _, err := process.Next(t.Context(), map[string]string{"token": token}); transports.ClassOf(err) != transports.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := w.AddBot(fake.App{Name: "other", Allowed: fake.PrivilegedIntents})
	process, _ := w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "bot", Previous: &login})
	if _, err := process.Next(t.Context(), map[string]string{"token": other.Token()}); transports.ClassOf(err) != transports.Refused {
		t.Errorf("another bot's token relinked the account: %v", err)
	}
	weak := w.AddBot(fake.App{Name: "weak", Allowed: fake.IntentPresences})
	process, _ = w.net.StartLogin(t.Context(), transports.LoginRequest{Flow: "bot"})
	_, err := process.Next(t.Context(), map[string]string{"token": weak.Token()})
	var e *transports.Error
	if !errors.As(err, &e) || !strings.Contains(e.Text, "Message Content Intent") || !strings.Contains(e.Text, "Server Members Intent") || strings.Contains(e.Text, "Presence Intent") {
		t.Errorf("%v", err)
	}
}

func TestMissingIntentSaysWhatToDo(t *testing.T) {
	w := newWorld(t)
	login := w.link()
	w.bot.Allow(fake.IntentMembers)
	k := recorder.New()
	s, err := w.net.Open(t.Context(), login, k)
	if err != nil {
		t.Fatal(err)
	}
	k.Await(t, "needs login", func() bool { return k.Reached == transports.NeedsLogin })
	if !strings.Contains(k.Cause.Error(), "Privileged Gateway Intents") {
		t.Error(k.Cause)
	}
	w.must(s.Close(context.Background()))
}

func TestPeopleAndRooms(t *testing.T) {
	w := newWorld(t)
	secret := w.AddChannel(w.guild, fake.Channel{Name: "secret", Private: []fake.ID{w.ann, w.bot.ID()}})
	s, _ := w.open(w.link())
	names := map[string]transports.UserInfo{}
	w.must(s.Contacts(t.Context(), func(page []transports.UserInfo) error {
		for _, u := range page {
			names[u.Name] = u
		}
		return nil
	}))
	if u := names["Ann Example"]; u.Handle != "ann" || u.Group != "Acme" || u.Avatar == "" || u.ID != transports.UserID(w.ann) {
		t.Errorf("%+v", names)
	}
	rooms := map[transports.RoomID]transports.RoomInfo{}
	w.must(s.Rooms(t.Context(), func(page []transports.RoomInfo) error {
		for _, r := range page {
			rooms[r.ID] = r
		}
		return nil
	}))
	if r := rooms[transports.RoomID(w.general)]; r.Name != "general" || r.Kind != transports.Public || r.Topic != "All things" || r.Group != "Acme" {
		t.Errorf("%+v", r)
	}
	if r := rooms[transports.RoomID(secret)]; r.Kind != transports.Private {
		t.Errorf("%+v", r)
	}
	if _, err := s.Room(t.Context(), "../../users/@me"); transports.ClassOf(err) != transports.Refused {
		t.Errorf("a path as a room: %v", err)
	}
}

func TestMessagesBothWays(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	id := w.say(w.general, w.ann, "hello **world** <@"+string(w.ben)+">")
	e := k.Event(t, "message hello *world* @ben")
	if e.Key != id || e.Actor != transports.UserID(w.ann) || e.Own || e.Kind != transports.Public || e.Name != "" {
		t.Errorf("%+v", e)
	}
	w.must(w.Edit(w.general, fake.ID(id), w.ann, "hello again"))
	if e := k.Event(t, "edit hello again"); e.Body.(transports.Edit).ID != transports.MessageID(id) {
		t.Errorf("%+v", e)
	}
	w.must(w.Delete(w.general, fake.ID(id), w.ann))
	if e := k.Event(t, "delete"); e.Body.(transports.Delete).IDs[0] != transports.MessageID(id) {
		t.Errorf("%+v", e)
	}
	bot := say(w.general, "as the *bot* @everyone", "c1")
	sent, err := s.Send(t.Context(), bot)
	w.must(err)
	m := w.message(sent.ID)
	if m.Author != w.bot.ID() || !strings.Contains(m.Text, "**bot**") || m.Everyone {
		t.Errorf("%+v", m)
	}
	if e := k.Event(t, "message as the"); !e.Own || e.Nonce != nonce("c1", 0) {
		t.Errorf("echo %+v", e)
	}
	w.must(edit(s, transports.MessageRef{Room: transports.RoomID(w.general), ID: sent.ID}, say(w.general, "changed", "c2")))
	if m := w.message(sent.ID); m.Text != "changed" {
		t.Errorf("%+v", m)
	}
	w.must(s.Delete(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: sent.ID}))
	w.must(s.Delete(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: sent.ID}))
}

func (w *world) message(id transports.MessageID) fake.Message {
	w.t.Helper()
	for _, m := range w.Transcript(w.general) {
		if string(m.ID) == string(id) {
			return m
		}
	}
	w.t.Fatalf("no message %s", id)
	return fake.Message{}
}

func TestAuthorsGoThroughAWebhook(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	out := say(w.general, "as juliet", "c1")
	out.Author = &transports.Author{Name: "Juliet (Discord)"}
	sent, err := s.Send(t.Context(), out)
	w.must(err)
	if m := w.message(sent.ID); !m.Webhook || !strings.HasPrefix(m.Name, "Juliet") {
		t.Errorf("%+v", m)
	}
	if e := k.Event(t, "message as juliet"); !e.Own {
		t.Errorf("%+v", e)
	}
	w.must(edit(s, transports.MessageRef{Room: transports.RoomID(w.general), ID: sent.ID}, say(w.general, "changed", "c2")))
	if m := w.message(sent.ID); m.Text != "changed" {
		t.Errorf("%+v", m)
	}
	w.DeleteWebhooks(w.general)
	out.ClientID, out.Text = "c3", say(w.general, "hook anew", "").Text
	again, err := s.Send(t.Context(), out)
	w.must(err)
	if len(w.Webhooks(w.general)) != 1 {
		t.Errorf("%d webhooks", len(w.Webhooks(w.general)))
	}
	w.must(s.Delete(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: again.ID}))
	w.bot.Permit(w.guild, fake.EverybodysPermissions)
	w.DeleteWebhooks(w.general)
	out.ClientID, out.Text = "c4", say(w.general, "no hook", "").Text
	plain, err := s.Send(t.Context(), out)
	w.must(err)
	if m := w.message(plain.ID); m.Webhook || !strings.Contains(m.Text, "Juliet") || !strings.Contains(m.Text, "no hook") {
		t.Errorf("%+v", m)
	}
}

func TestRepeatedSendFindsTheFirst(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link())
	for _, author := range []*transports.Author{nil, {Name: "Juliet"}} {
		out := say(w.general, "first", "k1")
		out.Author = author
		before, err := s.Send(t.Context(), out)
		w.must(err)
		known := map[transports.MessageID]bool{}
		for _, m := range w.Transcript(w.general) {
			known[transports.MessageID(m.ID)] = true
		}
		out = say(w.general, "once", "k2")
		out.Author = author
		out.Known = func(id transports.MessageID) bool { return known[id] }
		route := "POST /channels/{channel_id}/messages"
		if author != nil {
			route = "POST /webhooks/{webhook_id}/{webhook_token}"
		}
		w.Inject(route, 1, fake.LoseReply())
		if _, err := s.Send(t.Context(), out); transports.ClassOf(err) != transports.Retry {
			t.Fatalf("lost reply: %v", err)
		}
		out.Attempt = 2
		sent, err := s.Send(t.Context(), out)
		w.must(err)
		n := 0
		for _, m := range w.Transcript(w.general) {
			if m.Text == "once" && !known[transports.MessageID(m.ID)] {
				n++
			}
		}
		if n != 1 || sent.ID == before.ID || w.message(sent.ID).Text != "once" {
			t.Errorf("persona %v: %d posts", author, n)
		}
	}
}

func TestErrorsHaveClasses(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link())
	out := say(w.general, "x", "c1")
	for _, tc := range []struct {
		action fake.Action
		class  transports.Class
	}{
		{fake.RateLimit(3 * time.Second), transports.Retry}, {fake.Broken(503), transports.Retry}, {fake.Broken(500), transports.Retry},
		{fake.Answer(403, rest.CodeMissingPerms, "Missing Permissions"), transports.Refused}, {fake.Answer(404, rest.CodeUnknownChannel, "Unknown Channel"), transports.Refused},
		{fake.GlobalRateLimit(50 * time.Millisecond), transports.Retry},
	} {
		w.Inject("POST /channels/{channel_id}/messages", 1, tc.action)
		if _, err := s.Send(t.Context(), out); transports.ClassOf(err) != tc.class {
			t.Errorf("%v, want class %v", err, tc.class)
		}
	}
}

func TestDirectMessages(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	dm := w.DM(w.ann, w.bot.ID())
	w.say(dm, w.ann, "psst")
	e := k.Event(t, "message psst")
	if e.Kind != transports.Direct || e.Peer != transports.UserID(w.ann) {
		t.Errorf("%+v", e)
	}
	room, err := s.Direct(t.Context(), transports.UserID(w.ann))
	if err != nil || room != transports.RoomID(dm) {
		t.Errorf("%v %v", room, err)
	}
	out := say(dm, "hi", "c1")
	out.Author = &transports.Author{Name: "Juliet"}
	if _, err := s.Send(t.Context(), out); err != nil {
		t.Error(err)
	}
}

func TestRestartResumes(t *testing.T) {
	w := newWorld(t)
	login := w.link()
	s, k := w.open(login)
	w.say(w.general, w.ann, "before")
	k.Event(t, "message before")
	w.must(s.Close(context.Background()))
	id := w.say(w.general, w.ann, "while away")
	k.Lock()
	login.State = k.Saved
	k.Unlock()
	var point resume
	if err := json.Unmarshal(login.State, &point); err != nil || point.Session == "" || point.URL == "" {
		t.Fatalf("%s %v", login.State, err)
	}
	_, k2 := w.open(login)
	if e := k2.Event(t, "message while away"); e.Key != id {
		t.Errorf("%+v", e)
	}
	if c := w.bot.Counts(); c.Resumed != 1 || c.Identified != 1 || c.ResumedElsewhere != 0 {
		t.Errorf("%+v", c)
	}
	if k2.Resyncs != 0 || len(k2.All("message before")) != 0 {
		t.Errorf("%d resyncs", k2.Resyncs)
	}
}

func TestConnectionsEndInManyWays(t *testing.T) {
	for name, end := range map[string]struct {
		do      func(w *world)
		resumes bool
	}{
		"op 7":           {func(w *world) { w.bot.Reconnect() }, true},
		"op 9 resumable": {func(w *world) { w.bot.Invalidate(true) }, true},
		"op 9 final":     {func(w *world) { w.bot.Invalidate(false) }, false},
		"cut":            {func(w *world) { w.bot.Drop() }, true},
		"4000":           {func(w *world) { w.bot.Close(4000) }, true},
		"4009":           {func(w *world) { w.bot.Close(4009) }, false},
		"4007":           {func(w *world) { w.bot.Close(4007) }, false},
		"sessions gone":  {func(w *world) { w.bot.RefuseResume(false); w.bot.Drop() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, k := w.open(w.link())
			end.do(w)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			w.must(w.bot.WaitCounts(ctx, func(c fake.Counts) bool {
				if end.resumes {
					return c.Resumed >= 1
				}
				return c.Identified >= 2
			}))
			if !end.resumes {
				k.Await(t, "resync", func() bool { return k.Resyncs == 1 })
			}
			w.say(w.general, w.ann, "after")
			k.Event(t, "message after")
		})
	}
}

func TestDeadTokenIsFinal(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	w.bot.ResetToken()
	k.Await(t, "needs login", func() bool { return k.Reached == transports.NeedsLogin })
	if _, err := s.Send(t.Context(), say(w.general, "x", "c")); transports.ClassOf(err) != transports.NeedLogin {
		t.Error(err)
	}
}

func TestSilentGatewayIsNoticed(t *testing.T) {
	w := newWorld(t, func(o *fake.Options) { o.Heartbeat = 50 * time.Millisecond })
	_, k := w.open(w.link())
	w.Lag(time.Hour)
	k.Await(t, "connecting", func() bool { return k.Reached == transports.Connecting })
	w.Lag(0)
	k.Await(t, "online", func() bool { return k.Reached == transports.Online })
}

func TestOutageAndHistory(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	first := w.say(w.general, w.ann, "before")
	k.Event(t, "message before")
	w.Outage(fake.Dropped)
	k.Await(t, "connecting", func() bool { return k.Reached == transports.Connecting })
	w.say(w.general, w.ann, "one")
	w.must(w.Edit(w.general, fake.ID(first), w.ann, "before, edited"))
	w.say(w.general, w.ben, "two")
	w.must(w.Recover(t.Context(), true))
	k.Await(t, "resync", func() bool { return k.Reached == transports.Online && k.Resyncs > 0 })
	page, err := s.History(t.Context(), transports.HistoryRequest{Room: transports.RoomID(w.general), After: transports.MessageID(first), Limit: 100})
	if err != nil || page.More {
		t.Fatal(err, page.More)
	}
	if got := recorder.Dump(page.Events); strings.Count(got, "message one") != 1 || strings.Count(got, "message two") != 1 || !strings.Contains(got, "edit before, edited") || strings.Count(got, "message before") != 1 {
		t.Error(got)
	}
	newest, err := s.History(t.Context(), transports.HistoryRequest{Room: transports.RoomID(w.general), Limit: 2})
	if err != nil || len(newest.Events) != 2 || recorder.Line(newest.Events[1]) != "message two" {
		t.Fatalf("%s %v", recorder.Dump(newest.Events), err)
	}
	overtaken, err := s.History(t.Context(), transports.HistoryRequest{Room: transports.RoomID(w.general), After: newest.Events[1].Body.(transports.Message).ID, Limit: 100})
	if got := recorder.Dump(overtaken.Events); err != nil || strings.Count(got, "message one") != 1 {
		t.Error(got, err)
	}
}

func TestEmptyContentIsExplained(t *testing.T) {
	w := newWorld(t)
	login := w.link()
	s, k := w.open(login)
	_ = s
	w.PartialUpdates(true)
	w.say(w.general, w.ann, "see https://x.example/")
	k.Event(t, "message see")
	w.say(w.general, w.ann, "marker")
	k.Event(t, "message marker")
	if n := len(k.All("edit see <https://x.example/>")); n != 0 {
		t.Errorf("%d edits: a link's preview is none", n)
	}
}

func TestThreadsAndForums(t *testing.T) {
	w := newWorld(t)
	forum := w.AddChannel(w.guild, fake.Channel{Name: "help", Kind: fake.Forum})
	s, k := w.open(w.link())
	post, err := w.ForumPost(forum, w.ann, "How?", fake.Post{Text: "like this?"})
	w.must(err)
	if e := k.Event(t, "message like this?"); e.Room != transports.RoomID(post) {
		t.Errorf("%+v", e)
	}
	out := say(post, "so", "c1")
	out.Author = &transports.Author{Name: "Juliet"}
	sent, err := s.Send(t.Context(), out)
	w.must(err)
	w.must(edit(s, transports.MessageRef{Room: transports.RoomID(post), ID: sent.ID}, say(post, "so!", "c2")))
	w.must(s.Delete(t.Context(), transports.MessageRef{Room: transports.RoomID(post), ID: sent.ID}))
}

func TestReactionsPresenceAndTyping(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	id := w.say(w.general, w.ann, "react")
	k.Event(t, "message react")
	w.must(w.React(w.general, fake.ID(id), w.ben, "👍"))
	k.Event(t, "reactions +👍")
	w.must(s.React(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: transports.MessageID(id)}, transports.ReactionChange{Add: []string{"🎉"}}))
	w.must(s.Typing(t.Context(), transports.RoomID(w.general), transports.Typing{On: true}))
	w.SetPresence(w.ann, "dnd", "busy")
	k.Await(t, "presence", func() bool {
		for _, e := range k.Events {
			if p, ok := e.Body.(transports.Presence); ok && p.Info.User == transports.UserID(w.ann) && p.Info.Show == transports.Busy {
				return true
			}
		}
		return false
	})
	w.Typing(w.general, w.ben)
	k.Event(t, "typing")
	w.must(s.SetPresence(t.Context(), transports.PresenceInfo{Show: transports.Away}))
}
