package fake_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func names(list []slack.Channel) []string {
	var out []string
	for _, c := range list {
		if c.IsIM {
			out = append(out, "@"+c.User)
			continue
		}
		out = append(out, c.Name)
	}
	slices.Sort(out)
	return out
}

func (w *testSlack) listed(c *slack.Client, types ...string) []string {
	w.Helper()
	var all []slack.Channel
	p := &slack.GetConversationsParameters{Types: types, Limit: 200}
	for {
		list, next, err := c.GetConversationsContext(deadline(w), p)
		w.ok(err)
		all = append(all, list...)
		if next == "" {
			return names(all)
		}
		p.Cursor = next
	}
}

func TestWhoSeesWhichConversations(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	w.ann.DM(w.bob)
	w.ann.DM(w.in.Bot)
	w.bob.DM(w.carl)
	w.ann.DM(w.bob, w.carl)
	all := []string{"public_channel", "private_channel", "im", "mpim"}
	if got, want := w.listed(w.bot, all...), []string{"@" + w.ann.ID, "general"}; !slices.Equal(got, want) {
		t.Errorf("the bot sees %v, want %v", got, want)
	}
	got := w.listed(w.asAnn, all...)
	want := []string{"@" + w.bob.ID, "@" + w.in.Bot.ID, "cellar", "general", "mpdm-ann--bob--carl-1"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("ann sees %v, want %v", got, want)
	}
	w.slack.ShortPages(1)
	if got := w.listed(w.asAnn, all...); !slices.Equal(got, want) {
		t.Errorf("in pages of one ann sees %v, want %v", got, want)
	}
	mine, _, err := w.asAnn.GetConversationsForUserContext(deadline(t), &slack.GetConversationsForUserParameters{Types: []string{"private_channel"}, Limit: 10})
	w.ok(err)
	if len(mine) != 1 || mine[0].ID != w.cellar.ID {
		t.Errorf("users.conversations: %v", names(mine))
	}
	_, err = w.bot.GetConversationInfoContext(deadline(t), &slack.GetConversationInfoInput{ChannelID: w.cellar.ID})
	w.wants(err, "channel_not_found")
	members, _, err := w.bot.GetUsersInConversationContext(deadline(t), &slack.GetUsersInConversationParameters{ChannelID: w.general.ID, Limit: 10})
	w.ok(err)
	if !slices.Contains(members, w.ann.ID) || slices.Contains(members, w.carl.ID) {
		t.Errorf("members of #general: %v", members)
	}
	_, _, err = w.bot.GetUsersInConversationContext(deadline(t), &slack.GetUsersInConversationParameters{ChannelID: w.cellar.ID, Limit: 10})
	w.wants(err, "channel_not_found")
}

func TestJoinAndLeave(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	tea := w.acme.AddChannel(fake.Room{Name: "tea", Members: []*fake.User{w.bob}})
	_, _, err := w.asAnn.PostMessageContext(ctx, tea.ID, slack.MsgOptionText("hello", false))
	w.wants(err, "not_in_channel")
	_, warning, _, err := w.bot.JoinConversationContext(ctx, tea.ID)
	w.ok(err)
	if warning != "" || !tea.Has(w.in.Bot) {
		t.Errorf("joined: %v, warning %q", tea.Has(w.in.Bot), warning)
	}
	_, warning, _, err = w.bot.JoinConversationContext(ctx, tea.ID)
	w.ok(err)
	if warning != "already_in_channel" {
		t.Errorf("joined twice: warning %q", warning)
	}
	_, err = w.bot.LeaveConversationContext(ctx, tea.ID)
	w.ok(err)
	was, err := w.bot.LeaveConversationContext(ctx, tea.ID)
	w.ok(err)
	if !was {
		t.Error("leaving twice is not told")
	}
	_, err = w.bot.LeaveConversationContext(ctx, w.general.ID)
	w.wants(err, "cant_leave_general")
	_, _, _, err = w.asAnn.JoinConversationContext(ctx, w.cellar.ID)
	w.wants(err, "method_not_supported_for_channel_type")
}

func TestDirectMessages(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	dm, _, was, err := w.bot.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{w.ann.ID}, ReturnIM: true})
	w.ok(err)
	if was || !dm.IsIM || dm.User != w.ann.ID {
		t.Errorf("opened: %v, %+v", was, dm)
	}
	again, _, was, err := w.bot.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{w.ann.ID}})
	w.ok(err)
	if !was || again.ID != dm.ID {
		t.Errorf("opened again: %v, %s and %s", was, again.ID, dm.ID)
	}
	// The id of a person stands for the DM with them.
	ch, _, err := w.bot.PostMessageContext(ctx, w.ann.ID, slack.MsgOptionText("psst", false))
	w.ok(err)
	if ch != dm.ID {
		t.Errorf("posted to %s, want %s", ch, dm.ID)
	}
	group, _, _, err := w.asAnn.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{w.bob.ID, w.carl.ID}, ReturnIM: true})
	w.ok(err)
	if !group.IsMpIM || !group.IsPrivate {
		t.Errorf("group: %+v", group)
	}
	_, _, _, err = w.bot.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{"U0NOBODY"}})
	w.wants(err, "user_not_found")
	_, _, _, err = w.bot.OpenConversationContext(ctx, &slack.OpenConversationParameters{ChannelID: w.general.ID})
	w.wants(err, "method_not_supported_for_channel_type")
}

func TestHistoryInPages(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	var sent []fake.Message
	for _, text := range []string{"one", "two", "three", "four", "five"} {
		sent = append(sent, w.ann.Say(w.general, text))
	}
	w.bob.Reply(sent[1], "hidden in the thread")
	w.bob.Broadcast(sent[1], "shown twice")
	read := func(oldest string) (out []string) {
		p := &slack.GetConversationHistoryParameters{ChannelID: w.general.ID, Oldest: oldest, Limit: 100}
		for {
			page, err := w.bot.GetConversationHistoryContext(ctx, p)
			w.ok(err)
			for _, m := range page.Messages {
				out = append(out, m.Text)
			}
			if page.HasMore != (page.ResponseMetaData.NextCursor != "") {
				t.Error("has_more and the cursor disagree")
			}
			if !page.HasMore {
				return out
			}
			p.Cursor = page.ResponseMetaData.NextCursor
		}
	}
	for _, short := range []int{0, 2, 1} {
		w.slack.ShortPages(short)
		if got, want := read(sent[1].TS), []string{"shown twice", "five", "four", "three"}; !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", short, got, want)
		}
	}
	w.slack.ShortPages(1)
	page, more, next, err := w.bot.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{ChannelID: w.general.ID, Timestamp: sent[1].TS, Limit: 10})
	w.ok(err)
	if len(page) != 2 || page[0].Text != "two" || page[0].ReplyCount != 2 || page[1].Text != "hidden in the thread" || !more {
		t.Errorf("replies: %+v", page)
	}
	page, more, _, err = w.bot.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{ChannelID: w.general.ID, Timestamp: sent[1].TS, Limit: 10, Cursor: next})
	w.ok(err)
	if len(page) != 2 || page[0].Text != "two" || page[1].SubType != "thread_broadcast" || more {
		t.Errorf("second page of replies: %+v", page)
	}
	_, _, _, err = w.bot.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{ChannelID: w.general.ID, Timestamp: "1.000100"})
	w.wants(err, "thread_not_found")
	_, err = w.bot.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: w.general.ID, Oldest: "yesterday"})
	w.wants(err, "invalid_ts_oldest")
	tea := w.acme.AddChannel(fake.Room{Name: "tea", Members: []*fake.User{w.bob}})
	w.bob.Say(tea, "with milk")
	_, err = w.bot.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: tea.ID})
	w.wants(err, "not_in_channel")
	seen, err := w.asAnn.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: tea.ID})
	w.ok(err)
	if len(seen.Messages) != 1 {
		t.Errorf("ann reads %d messages of a public channel", len(seen.Messages))
	}
	w.ok(w.asAnn.MarkConversationContext(ctx, w.general.ID, sent[4].TS))
	info, err := w.asAnn.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: w.general.ID})
	w.ok(err)
	if info.LastRead != sent[4].TS {
		t.Errorf("last_read is %q", info.LastRead)
	}
}

func TestTopicOfAConversation(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	general := w.acme.Channel("general")
	c, err := w.asAnn.SetTopicOfConversationContext(deadline(w), general.ID, "Tea at four")
	w.ok(err)
	if c.Topic.Value != "Tea at four" || c.Topic.Creator != w.ann.ID {
		t.Errorf("the topic is %+v", c.Topic)
	}
	if list := general.Transcript(); len(list) == 0 || list[len(list)-1].Subtype != "channel_topic" {
		t.Errorf("the channel has %+v", list)
	}
	dm := w.ann.DM(w.bob)
	for channel, want := range map[string]string{dm.ID: "method_not_supported_for_channel_type", general.ID: "too_long"} {
		if _, err := w.asAnn.SetTopicOfConversationContext(deadline(w), channel, strings.Repeat("x", 251)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
