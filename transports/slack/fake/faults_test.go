package fake_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func TestFaultsOfACall(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	post := func(text string) error {
		_, _, err := w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText(text, false))
		return err
	}
	var limited *slack.RateLimitedError
	w.slack.Break("chat.postMessage", 2, fake.RateLimited(1500*time.Millisecond))
	if err := post("a"); !errors.As(err, &limited) || limited.RetryAfter != 2*time.Second {
		t.Errorf("rate limited: %v", err)
	}
	w.ok(w.bot.SetUserPresenceContext(ctx, "auto")) // another method
	if err := post("a"); !errors.As(err, &limited) {
		t.Errorf("rate limited again: %v", err)
	}
	w.ok(post("b"))
	var status slack.StatusCodeError
	w.slack.Break("*", 1, fake.ServerError(http.StatusServiceUnavailable))
	if err := post("c"); !errors.As(err, &status) || status.Code != http.StatusServiceUnavailable {
		t.Errorf("server error: %v", err)
	}
	w.slack.Break("chat.postMessage", 1, fake.Refused("restricted_action"))
	w.wants(post("d"), "restricted_action")
	if got, want := w.general.Lines(), []string{"Dragoman: b"}; !slices.Equal(got, want) {
		t.Errorf("written: %q, want %q", got, want)
	}
	// These happen after the deed.
	mend := w.slack.Break("chat.postMessage", 0, fake.LostReply())
	if err := post("e"); err == nil {
		t.Error("a lost reply came")
	}
	if err := post("f"); err == nil {
		t.Error("a lost reply came")
	}
	mend()
	w.slack.Break("chat.postMessage", 1, fake.FailsAfter(http.StatusInternalServerError))
	if err := post("g"); !errors.As(err, &status) || status.Code != http.StatusInternalServerError {
		t.Errorf("failed after the deed: %v", err)
	}
	w.slack.Break("chat.postMessage", 1, fake.Garbage())
	if err := post("h"); err == nil {
		t.Error("half an answer is taken")
	}
	if got, want := w.general.Lines(), []string{"Dragoman: b", "Dragoman: e", "Dragoman: f", "Dragoman: g", "Dragoman: h"}; !slices.Equal(got, want) {
		t.Errorf("written: %q, want %q", got, want)
	}
}

func TestHangingCall(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	w.slack.Break("auth.test", 2, fake.Hang())
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.bot.AuthTestContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	// Close ends calls that still hang.
	done := make(chan error, 1)
	go func() {
		_, err := w.bot.AuthTestContext(context.Background())
		done <- err
	}()
	if !w.slack.Await(deadline(t), func() bool { return w.slack.Pending() == 1 }) {
		t.Fatal("nothing hangs")
	}
	w.slack.Close()
	select {
	case err := <-done:
		if err == nil {
			t.Error("an answer from a closed server")
		}
	case <-deadline(t).Done():
		t.Error("hangs for ever")
	}
}

func TestFaultsOfFilesAndSockets(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	w.slack.Break("upload", 1, fake.ServerError(500))
	p := slack.UploadFileParameters{Filename: "a.txt", Content: "abc", FileSize: 3, Channel: w.general.ID}
	if _, err := w.bot.UploadFileContext(ctx, p); err == nil {
		t.Error("the upload went well")
	}
	sum, err := w.bot.UploadFileContext(ctx, p)
	w.ok(err)
	info, _, _, err := w.bot.GetFileInfoContext(ctx, sum.ID, 0, 0)
	w.ok(err)
	w.slack.Break("download", 1, fake.RateLimited(time.Second))
	var b strings.Builder
	var limited *slack.RateLimitedError
	if err := w.bot.GetFileContext(ctx, info.URLPrivate, &b); !errors.As(err, &limited) {
		t.Errorf("download: %v", err)
	}
	w.slack.Break("download", 1, fake.LostReply())
	if err := w.bot.GetFileContext(ctx, info.URLPrivate, &b); err == nil {
		t.Error("a lost reply came")
	}
	w.ok(w.bot.GetFileContext(ctx, info.URLPrivate, &b))
	w.slack.Break("socket", 1, fake.ServerError(500))
	l := w.listen()
	l.connected(1)
}

func TestEventBeforeReply(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	l := w.listen()
	l.connected(1)
	w.slack.Break("chat.postMessage", 1, fake.EchoFirst())
	_, ts, err := w.bot.PostMessageContext(deadline(t), w.general.ID, slack.MsgOptionText("echo", false))
	w.ok(err)
	if got := l.all(); len(got) != 1 || got[0].event.InnerEvent.Data.(*slackevents.MessageEvent).TimeStamp != ts {
		t.Errorf("when the answer is there, heard are %d events", len(got))
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t, func(o *fake.Options) { o.AckTimeout = 50 * time.Millisecond })
	l := w.listen()
	l.connected(1)
	first := w.ann.Say(w.general, "before")
	l.until("a message", func() bool { return slices.Contains(l.texts(), "before") })
	if !w.slack.Await(deadline(t), func() bool { return w.app.Unacknowledged() == 0 }) {
		t.Fatal("not acknowledged")
	}
	w.slack.Outage()
	if _, err := w.bot.AuthTestContext(deadline(t)); err == nil {
		t.Error("an answer during the outage")
	}
	if n := w.app.Sockets(); n != 0 {
		t.Errorf("%d sockets during the outage", n)
	}
	w.ann.Say(w.general, "missed")
	if n := w.slack.EndRedeliveries(); n != 1 {
		t.Errorf("%d envelopes were lost, want 1", n)
	}
	w.ann.Say(w.general, "retried")
	w.slack.Restore()
	l.connected(2)
	w.app.Redeliver(1)
	l.until("the retry", func() bool { return slices.Contains(l.texts(), "retried") })
	for _, h := range l.all() {
		if m, ok := h.event.InnerEvent.Data.(*slackevents.MessageEvent); ok && m.Text == "retried" && h.req.RetryAttempt == 0 {
			t.Error("what was said in the outage comes as if for the first time")
		}
	}
	if slices.Contains(textsOf(l.all()), "missed") {
		t.Error("what was given up comes back")
	}
	h, err := w.bot.GetConversationHistoryContext(deadline(t), &slack.GetConversationHistoryParameters{ChannelID: w.general.ID, Oldest: first.TS})
	w.ok(err)
	if len(h.Messages) != 2 || h.Messages[1].Text != "missed" {
		t.Errorf("the history has %+v", h.Messages)
	}
}

func TestFilesAsStubs(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	w.slack.StubFiles(true)
	l := w.listen()
	l.connected(1)
	w.ann.Share(w.general, "look", fake.Message{}, fake.FileSpec{Name: "a.txt", Data: []byte("abc")})
	l.until("the share", func() bool { return slices.Contains(l.texts(), "look") })
	var files []slack.File
	for _, h := range l.all() {
		if m, ok := h.event.InnerEvent.Data.(*slackevents.MessageEvent); ok && m.SubType == "file_share" {
			files = m.Message.Files
		}
	}
	if len(files) != 1 || files[0].URLPrivate != "" || files[0].FileAccess != "check_file_info" {
		t.Fatalf("files: %+v", files)
	}
	info, _, _, err := w.bot.GetFileInfoContext(deadline(t), files[0].ID, 0, 0)
	w.ok(err)
	if info.URLPrivate == "" || info.Size != 3 {
		t.Errorf("info: %+v", info)
	}
}

func TestRefusedUserActions(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	m := w.ann.Say(w.general, "mine")
	if got := w.carl.Say(w.general, "from outside"); got.Channel != nil {
		t.Errorf("carl wrote %+v", got)
	}
	w.bob.Edit(m, "theirs")
	w.bob.Delete(m)
	w.carl.React(m, "x")
	w.carl.Invite(w.general, w.carl)
	w.ann.EndHuddle(w.general)
	if n := len(w.slack.Complaints()); n != 6 {
		t.Errorf("%d complaints, want 6: %v", n, w.slack.Complaints())
	}
	if got := w.general.Lines(); !slices.Equal(got, []string{"Ann: mine"}) {
		t.Errorf("written: %q", got)
	}
}

func TestMessageHooks(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	w.slack.OnMessage(func(m fake.Message) {
		if m.User == w.in.Bot && m.Subtype == "" {
			w.bob.Reply(m, "you said: "+m.Text)
		}
	})
	for _, text := range []string{"one", "two"} {
		_, _, err := w.bot.PostMessageContext(deadline(t), w.general.ID, slack.MsgOptionText(text, false))
		w.ok(err)
	}
	want := []string{"Bob Example: you said: one", "Bob Example: you said: two"}
	if !w.slack.Await(deadline(t), func() bool {
		var got []string
		for _, line := range w.general.Lines() {
			if strings.HasPrefix(line, "Bob") {
				got = append(got, line)
			}
		}
		return slices.Equal(got, want)
	}) {
		t.Errorf("written: %q", w.general.Lines())
	}
}
