package fake_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func TestBotMessage(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	ch, ts, err := w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("hello <@"+w.ann.ID+"|x> & see https://example.org/a?b=1&c=2.", false))
	w.ok(err)
	m := w.general.Message(ts)
	if ch != w.general.ID || m.User != w.in.Bot || m.App != w.app || m.Subtype != "" {
		t.Errorf("posted: %+v", m)
	}
	if want := "hello <@" + w.ann.ID + "> &amp; see <https://example.org/a?b=1&amp;c=2>."; m.Text != want {
		t.Errorf("text is %q, want %q", m.Text, want)
	}
	_, _, err = w.bot.PostMessageContext(ctx, w.cellar.ID, slack.MsgOptionText("x", false))
	w.wants(err, "channel_not_found")
	_, _, err = w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText(strings.Repeat("é", 40001), false), slack.MsgOptionDisableMarkdown())
	w.wants(err, "msg_too_long")
	_, long, err := w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText(strings.Repeat("é", 40000), false), slack.MsgOptionDisableMarkdown())
	w.ok(err)
	_, _, _, err = w.bot.UpdateMessageContext(ctx, w.general.ID, long, slack.MsgOptionText(strings.Repeat("é", 4001), false))
	w.wants(err, "msg_too_long")
	_, _, _, err = w.bot.UpdateMessageContext(ctx, w.general.ID, long, slack.MsgOptionText(strings.Repeat("é", 4000), false))
	w.ok(err)
}

func TestBotMessageWithOtherName(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	_, ts, err := w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("hi", false),
		slack.MsgOptionUsername("Romeo"), slack.MsgOptionIconURL("https://example.org/romeo.png"))
	w.ok(err)
	m := w.general.Message(ts)
	if m.Subtype != "bot_message" || m.User != nil || m.Name != "Romeo" || m.Icon != "https://example.org/romeo.png" {
		t.Errorf("posted: %+v", m)
	}
	w.slack.SetScopes(w.in.Token, "chat:write", "channels:history")
	_, _, err = w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("hi", false), slack.MsgOptionUsername("Romeo"))
	w.wants(err, "missing_scope")
	var r slack.SlackErrorResponse
	if !asError(err, &r) || r.Needed != "chat:write.customize" || r.Provided != "chat:write,channels:history" {
		t.Errorf("needed %q, provided %q", r.Needed, r.Provided)
	}
	_, ts, err = w.asAnn.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("me", false))
	w.ok(err)
	if m := w.general.Message(ts); m.User != w.ann || m.App != w.app {
		t.Errorf("posted as ann: %+v", m)
	}
}

func TestThreadsEditsAndDeletes(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	root := w.ann.Say(w.general, "root")
	_, reply, err := w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("reply", false), slack.MsgOptionTS(root.TS))
	w.ok(err)
	_, both, err := w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("both", false), slack.MsgOptionTS(reply), slack.MsgOptionBroadcast())
	w.ok(err)
	if m := w.general.Message(both); m.ThreadTS != root.TS || !m.Broadcast || m.Subtype != "thread_broadcast" {
		t.Errorf("broadcast: %+v", m)
	}
	_, _, err = w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionText("x", false), slack.MsgOptionTS("1.000100"))
	w.wants(err, "cannot_reply_to_message")
	_, _, text, err := w.bot.UpdateMessageContext(ctx, w.general.ID, reply, slack.MsgOptionText("edited <now>", false))
	w.ok(err)
	if text != "edited &lt;now&gt;" || !w.general.Message(reply).Edited {
		t.Errorf("edited to %q: %+v", text, w.general.Message(reply))
	}
	_, _, _, err = w.bot.UpdateMessageContext(ctx, w.general.ID, root.TS, slack.MsgOptionText("not mine", false))
	w.wants(err, "cant_update_message")
	_, _, _, err = w.bot.UpdateMessageContext(ctx, w.general.ID, "5.000100", slack.MsgOptionText("x", false))
	w.wants(err, "message_not_found")
	_, _, err = w.bot.DeleteMessageContext(ctx, w.general.ID, root.TS)
	w.wants(err, "cant_delete_message")
	_, _, err = w.bot.DeleteMessageContext(ctx, w.general.ID, reply)
	w.ok(err)
	_, _, err = w.bot.DeleteMessageContext(ctx, w.general.ID, reply)
	w.wants(err, "message_not_found")
	w.carl.Join(w.general)
	asCarl := w.client(w.app.Link(w.carl)) // an admin may
	_, _, err = asCarl.DeleteMessageContext(ctx, w.general.ID, root.TS)
	w.ok(err)
	if m := w.general.Message(root.TS); m.Subtype != "tombstone" || !m.Deleted {
		t.Errorf("a root with replies is %+v", m)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t, allowUndocumented)
	ctx := deadline(t)
	_, _, err := w.bot.PostMessageContext(ctx, w.general.ID)
	w.wants(err, "no_text")
	_, _, err = w.bot.PostMessageContext(ctx, w.general.ID, slack.MsgOptionMarkdownText("**x**"), slack.MsgOptionText("y", false))
	w.wants(err, "markdown_text_conflict")
	_, _, err = w.bot.PostMessageContext(ctx, "", slack.MsgOptionText("y", false))
	w.wants(err, "channel_not_found")
	_, _, _, err = w.bot.OpenConversationContext(ctx, &slack.OpenConversationParameters{})
	w.wants(err, "users_list_not_supplied")
	w.wants(w.bot.SetUserPresenceContext(ctx, "dancing"), "invalid_presence")
	w.wants(w.bot.AddReactionContext(ctx, "x", slack.ItemRef{}), "no_item_specified")
	_, _, err = w.bot.GetConversationsContext(ctx, &slack.GetConversationsParameters{Cursor: "never given"})
	w.wants(err, "invalid_cursor")
	_, _, err = w.bot.GetConversationsContext(ctx, &slack.GetConversationsParameters{Types: []string{"secret"}})
	w.wants(err, "invalid_types")
}

func TestTypedTextIsEscaped(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	for in, want := range map[string]string{
		"plain":                         "plain",
		"a < b & c > d":                 "a &lt; b &amp; c &gt; d",
		"hi @bob, @here @nobody":        "hi <@" + w.bob.ID + ">, <!here> @nobody",
		"in #general.":                  "in <#" + w.general.ID + "|>.",
		"<!channel>":                    "&lt;!channel&gt;",
		"see https://example.org/x_(y)": "see <https://example.org/x_(y>)",
		"mail ann@example.org":          "mail <mailto:ann@example.org|ann@example.org>",
		"at example.org/x":              "at <http://example.org/x|example.org/x>",
		"`code @bob` 👍🏽 😀":              "`code @bob` :+1::skin-tone-4: :grinning:",
		"a@bob":                         "a@bob",
	} {
		if got := w.ann.Say(w.general, in).Text; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	// An app's text keeps control sequences, and needs asking for names.
	for in, want := range map[string]string{
		"<!here|here> <#" + w.general.ID + "|general> <https://example.org|a & b>": "<!here> <#" + w.general.ID + "|general> <https://example.org|a & b>",
		"@bob <b> &amp; &": "@bob &lt;b&gt; &amp; &amp;",
	} {
		_, ts, err := w.bot.PostMessageContext(deadline(t), w.general.ID, slack.MsgOptionText(in, false))
		w.ok(err)
		if got := w.general.Message(ts).Text; got != want {
			t.Errorf("%q is posted as %q, want %q", in, got, want)
		}
	}
	_, ts, err := w.bot.PostMessageContext(deadline(t), w.general.ID, slack.MsgOptionText("@bob https://example.org", false), slack.MsgOptionLinkNames(true), slack.MsgOptionParse(false))
	w.ok(err)
	if got, want := w.general.Message(ts).Text, "<@"+w.bob.ID+"> https://example.org"; got != want {
		t.Errorf("link_names and parse=none: %q, want %q", got, want)
	}
}

func TestRichTextOfATypedText(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	m := w.ann.Say(w.general, "*bold _both_* 2*3*4 ~gone~ `a<b`\n> quoted @bob\n• one\n• two\n```\nif x {\n```\n:wave::skin-tone-3: #general <http://x.example|no link>")
	h, err := w.bot.GetConversationHistoryContext(deadline(t), &slack.GetConversationHistoryParameters{ChannelID: w.general.ID, Oldest: m.TS, Inclusive: true, Limit: 1})
	w.ok(err)
	rich, ok := h.Messages[0].Blocks.BlockSet[0].(*slack.RichTextBlock)
	if !ok {
		t.Fatalf("block is %T", h.Messages[0].Blocks.BlockSet[0])
	}
	var kinds []string
	for _, e := range rich.Elements {
		kinds = append(kinds, string(e.RichTextElementType()))
	}
	want := []string{"rich_text_section", "rich_text_quote", "rich_text_list", "rich_text_preformatted", "rich_text_section"}
	if !slices.Equal(kinds, want) {
		t.Fatalf("elements are %v, want %v", kinds, want)
	}
	var styles []string
	for _, e := range rich.Elements[0].(*slack.RichTextSection).Elements {
		x := e.(*slack.RichTextSectionTextElement)
		s := x.Text
		if x.Style != nil && x.Style.Bold {
			s += "|b"
		}
		if x.Style != nil && x.Style.Italic {
			s += "|i"
		}
		if x.Style != nil && x.Style.Strike {
			s += "|s"
		}
		if x.Style != nil && x.Style.Code {
			s += "|c"
		}
		styles = append(styles, s)
	}
	if want := []string{"bold |b", "both|b|i", " 2*3*4 ", "gone|s", " ", "a<b|c"}; !slices.Equal(styles, want) {
		t.Errorf("styles are %q, want %q", styles, want)
	}
	if list := rich.Elements[2].(*slack.RichTextList); len(list.Elements) != 2 || list.Style != "bullet" {
		t.Errorf("list: %+v", list)
	}
	last := rich.Elements[4].(*slack.RichTextSection).Elements
	if e, ok := last[0].(*slack.RichTextSectionEmojiElement); !ok || e.Name != "wave" || e.SkinTone != 3 || e.Unicode != "1f44b" {
		t.Errorf("emoji: %+v", last[0])
	}
	if e, ok := last[2].(*slack.RichTextSectionChannelElement); !ok || e.ChannelID != w.general.ID {
		t.Errorf("channel: %+v", last[2])
	}
}

func TestTimestampsPerChannel(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t, func(o *fake.Options) { o.Now = frozen })
	tea := w.acme.AddChannel(fake.Room{Name: "tea", Members: []*fake.User{w.ann}})
	seen := map[string]bool{}
	for range 10 {
		m := w.ann.Say(w.general, "x")
		if seen[m.TS] {
			t.Errorf("%s twice in a channel", m.TS)
		}
		seen[m.TS] = true
	}
	if m := w.ann.Say(tea, "x"); !seen[m.TS] {
		t.Errorf("%s is in no other channel, though the clock stands", m.TS)
	}
}
