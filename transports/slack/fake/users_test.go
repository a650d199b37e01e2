package fake_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/slack-go/slack"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
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
}

func TestPresence(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
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
}

func TestReactions(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	m := w.ann.Say(w.general, "cake?")
	at := slack.NewRefToMessage(w.general.ID, m.TS)
	w.ok(w.bot.AddReactionContext(ctx, "cake", at))
	w.wants(w.bot.AddReactionContext(ctx, "cake", at), "already_reacted")
	w.wants(w.bot.AddReactionContext(ctx, "🍰", at), "invalid_name")
	w.bob.React(m, "cake")
	w.bob.React(m, "wave::skin-tone-3")
	w.ok(w.bot.RemoveReactionContext(ctx, "cake", at))
	w.wants(w.bot.RemoveReactionContext(ctx, "cake", at), "no_reaction")
	if r := w.general.Message(m.TS).Reactions; len(r) != 2 || !slices.Equal(r["wave::skin-tone-3"], []string{w.bob.ID}) || !slices.Equal(r["cake"], []string{w.bob.ID}) {
		t.Errorf("left are %v", r)
	}
	w.wants(w.bot.AddReactionContext(ctx, "cake", slack.NewRefToMessage(w.general.ID, "5.000100")), "message_not_found")
	for i := range 23 {
		w.ok(w.bot.AddReactionContext(ctx, fmt.Sprintf("clock%d%s", i/2+1, []string{"", "30"}[i%2]), at))
	}
	w.wants(w.bot.AddReactionContext(ctx, "tada", at), "too_many_reactions")
}

func TestGroupsOfUsers(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	id := w.acme.AddGroup("crew")
	groups, err := w.bot.GetUserGroupsContext(deadline(t))
	w.ok(err)
	if len(groups) != 1 || groups[0].ID != id || groups[0].Handle != "crew" {
		t.Errorf("%+v", groups)
	}
}
