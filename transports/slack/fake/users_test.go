package fake_test

import (
	"slices"
	"testing"

	"github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func TestPeopleAsAppsSeeThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := deadline(t)
	u, err := w.bot.GetUserInfoContext(ctx, w.ann.ID)
	w.ok(err)
	if u.Name != "ann" || u.Profile.DisplayName != "Ann" || u.Profile.Email != "ann@example.org" || u.TZ != "Europe/Berlin" || u.IsBot {
		t.Errorf("ann is %+v", u)
	}
	w.slack.SetScopes(w.in.Token, "users:read")
	u, err = w.bot.GetUserInfoContext(ctx, w.ann.ID)
	w.ok(err)
	if u.Profile.Email != "" {
		t.Error("an address without users:read.email")
	}
	_, err = w.bot.GetUserByEmailContext(ctx, "ann@example.org")
	w.wants(err, "missing_scope")
	w.slack.SetScopes(w.in.Token, fake.DefaultBotScopes()...)
	u, err = w.bot.GetUserByEmailContext(ctx, "ANN@example.org")
	w.ok(err)
	if u.ID != w.ann.ID {
		t.Errorf("by address: %s", u.ID)
	}
	_, err = w.bot.GetUserByEmailContext(ctx, "nobody@example.org")
	w.wants(err, "users_not_found")
	_, err = w.bot.GetUserInfoContext(ctx, "U0NOBODY")
	w.wants(err, "user_not_found")
	for _, short := range []int{0, 1} {
		w.slack.ShortPages(short)
		all, err := w.bot.GetUsersContext(ctx, slack.GetUsersOptionLimit(2))
		w.ok(err)
		var got []string
		for _, u := range all {
			got = append(got, u.Name)
		}
		if want := []string{"slackbot", "ann", "bob", "carl", "dragoman"}; !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", short, got, want)
		}
	}
	bot, err := w.bot.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: w.in.BotID})
	w.ok(err)
	if bot.UserID != w.in.Bot.ID || bot.AppID != w.app.ID {
		t.Errorf("bot is %+v", bot)
	}
	_, err = w.bot.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: "B0NOBODY"})
	w.wants(err, "bot_not_found")
	p, err := w.bot.GetUserProfileContext(ctx, &slack.GetUserProfileParameters{UserID: w.bob.ID})
	w.ok(err)
	if p.RealName != "Bob Example" || p.Image72 == "" {
		t.Errorf("profile: %+v", p)
	}
	team, err := w.bot.GetTeamInfoContext(ctx)
	w.ok(err)
	if team.ID != w.acme.ID || team.Domain != "acme" {
		t.Errorf("team: %+v", team)
	}
	w.acme.AddEmoji("party", []byte("\x89PNG\r\n\x1a\nx"), "")
	w.acme.AddEmoji("fete", nil, "party")
	emoji, err := w.bot.GetEmojiContext(ctx)
	w.ok(err)
	if emoji["fete"] != "alias:party" || fetch(t, emoji["party"]) != "\x89PNG\r\n\x1a\nx" {
		t.Errorf("emoji: %v", emoji)
	}
	if len(fetch(t, p.Image72)) == 0 {
		t.Error("an empty picture")
	}
}

func TestPresenceAndStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := deadline(t)
	seen := func() string {
		p, err := w.bot.GetUserPresenceContext(ctx, w.ann.ID)
		w.ok(err)
		return p.Presence
	}
	if got := seen(); got != "active" {
		t.Errorf("ann is %s", got)
	}
	w.ok(w.asAnn.SetUserPresenceContext(ctx, "away"))
	if got := seen(); got != "away" {
		t.Errorf("set away, ann is %s", got)
	}
	w.ok(w.asAnn.SetUserPresenceContext(ctx, "auto"))
	w.ann.SetPresence(false)
	if got := seen(); got != "away" {
		t.Errorf("without a client ann is %s", got)
	}
	own, err := w.asAnn.GetUserPresenceContext(ctx, w.ann.ID)
	w.ok(err)
	if own.Online || own.ConnectionCount != 0 || !own.AutoAway {
		t.Errorf("own presence: %+v", own)
	}
	w.ok(w.asAnn.SetUserCustomStatusContext(ctx, "at <lunch>", ":pizza:", 1900000000))
	if st := w.ann.CustomStatus(); st != (fake.Status{Text: "at <lunch>", Emoji: ":pizza:", Until: 1900000000}) {
		t.Errorf("status: %+v", st)
	}
	p, err := w.bot.GetUserProfileContext(ctx, &slack.GetUserProfileParameters{UserID: w.ann.ID})
	w.ok(err)
	if p.StatusText != "at &lt;lunch&gt;" {
		t.Errorf("status text is %q", p.StatusText)
	}
}

func TestReactionsAndPins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := deadline(t)
	m := w.ann.Say(w.general, "cake?")
	at := slack.NewRefToMessage(w.general.ID, m.TS)
	w.ok(w.bot.AddReactionContext(ctx, "cake", at))
	w.wants(w.bot.AddReactionContext(ctx, "cake", at), "already_reacted")
	w.wants(w.bot.AddReactionContext(ctx, "🍰", at), "invalid_name")
	w.bob.React(m, "cake")
	w.bob.React(m, "wave::skin-tone-3")
	got, err := w.bot.GetReactionsContext(ctx, at, slack.GetReactionsParameters{Full: true})
	w.ok(err)
	if len(got.Reactions) != 2 || got.Reactions[0].Count != 2 || got.Reactions[1].Name != "wave::skin-tone-3" {
		t.Errorf("reactions: %+v", got)
	}
	w.ok(w.bot.RemoveReactionContext(ctx, "cake", at))
	w.wants(w.bot.RemoveReactionContext(ctx, "cake", at), "no_reaction")
	w.bob.Unreact(m, "wave::skin-tone-3")
	if r := w.general.Message(m.TS).Reactions; len(r) != 1 || !slices.Equal(r["cake"], []string{w.bob.ID}) {
		t.Errorf("left are %v", r)
	}
	w.wants(w.bot.AddReactionContext(ctx, "cake", slack.NewRefToMessage(w.general.ID, "5.000100")), "message_not_found")
	w.ok(w.bot.AddPinContext(ctx, w.general.ID, at))
	w.wants(w.bot.AddPinContext(ctx, w.general.ID, at), "already_pinned")
	items, _, err := w.bot.ListPinsContext(ctx, w.general.ID)
	w.ok(err)
	if len(items) != 1 || items[0].Message.Timestamp != m.TS {
		t.Errorf("pins: %+v", items)
	}
	w.ok(w.bot.RemovePinContext(ctx, w.general.ID, at))
	w.wants(w.bot.RemovePinContext(ctx, w.general.ID, at), "no_pin")
	w.ann.Pin(m)
	w.ann.Unpin(m)
	for i := range 23 {
		w.ok(w.bot.AddReactionContext(ctx, "e"+string(rune('a'+i)), at))
	}
	w.wants(w.bot.AddReactionContext(ctx, "one_more", at), "too_many_reactions")
}

func TestUserGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.listen()
	l.connected(1)
	g := w.acme.AddUserGroup("makers", "The makers", w.ann, w.ann)
	g.SetMembers(w.bob, w.carl)
	l.until("the events", func() bool { return slices.Contains(l.types(), "subteam_updated") })
	groups, err := w.bot.GetUserGroupsContext(deadline(t), slack.GetUserGroupsOptionIncludeUsers(true), slack.GetUserGroupsOptionIncludeCount(true))
	w.ok(err)
	if len(groups) != 1 || groups[0].Handle != "makers" || groups[0].UserCount != 2 || !slices.Equal(groups[0].Users, []string{w.bob.ID, w.carl.ID}) {
		t.Errorf("groups: %+v", groups)
	}
	ids, err := w.bot.GetUserGroupMembersContext(deadline(t), g.ID)
	w.ok(err)
	if len(ids) != 2 {
		t.Errorf("members: %v", ids)
	}
	_, err = w.bot.GetUserGroupMembersContext(deadline(t), "S0NONE")
	w.wants(err, "no_such_subteam")
}
