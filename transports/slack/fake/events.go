package fake

import (
	"cmp"
	"slices"
	"strings"
)

// emission is an event and who may see it: the members of channel, or with open set everybody
// in the workspace; only one user; only one app. Unconditional is for events about the app itself,
// which are delivered even if no user authorizes them.
type emission struct {
	team          *Workspace
	event         map[string]any
	channel       *Channel
	open          bool
	only          *User
	app           *App
	unconditional bool
}

// authorization is an installation for which an event is delivered.
type authorization struct {
	user *User
	bot  bool
}

func (a authorization) json(w *Workspace) map[string]any {
	return map[string]any{
		"enterprise_id": nil, "team_id": w.ID, "user_id": a.user.ID, "is_bot": a.bot, "is_enterprise_install": false,
	}
}

// emit makes the envelopes of an event: one for each app that may receive it, however many of its
// users may. They wait in pending until mu is free. mu must be held.
func (s *Server) emit(n emission) {
	if n.event["event_ts"] == nil {
		n.event["event_ts"] = s.eventStamp()
	}
	apps := make([]*App, 0, len(s.apps))
	for _, a := range s.apps {
		if n.app == nil || n.app == a {
			apps = append(apps, a)
		}
	}
	slices.SortFunc(apps, func(a, b *App) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range apps {
		in := a.in(n.team)
		if in == nil {
			continue
		}
		who := in.authorized(n)
		if n.unconditional {
			who = []authorization{{in.Bot, true}}
		}
		if len(who) == 0 {
			continue
		}
		s.pending.envelopes = append(s.pending.envelopes, s.envelopeFor(in, n, who))
	}
}

// eventStamp is an event_ts for events that are no message.
func (s *Server) eventStamp() string {
	now := s.opt.Now()
	return stamp{now.Unix(), int64(now.Nanosecond() / 1000)}.String()
}

// outbox is what a critical section leaves to be handed over when mu is free.
type outbox struct {
	envelopes []*envelope
	notices   []Message
}

// takePending empties the outbox. mu must be held; it is the end of every change.
func (s *Server) takePending() outbox {
	p := s.pending
	s.pending = outbox{}
	s.changed()
	return p
}

// changed wakes the callers of Await. mu must be held.
func (s *Server) changed() {
	close(s.changes)
	s.changes = make(chan struct{})
}

func (s *Server) envelopeFor(in *Install, n emission, who []authorization) *envelope {
	shown := []any{}
	if len(who) > 0 {
		shown = append(shown, who[0].json(in.team)) // one of them only; the rest by event_context
	}
	id := s.ids.next("Ev")
	e := &envelope{
		app: in.App, name: eventName(n.event), who: who, team: in.team,
		context: "4-" + secret(24), done: make(chan struct{}),
	}
	e.payload = map[string]any{
		"type": "event_callback", "token": in.App.verify, "team_id": in.team.ID, "context_team_id": in.team.ID,
		"context_enterprise_id": nil, "api_app_id": in.App.ID, "event": n.event, "event_id": id,
		"event_time": s.opt.Now().Unix(), "authorizations": shown, "is_ext_shared_channel": false, "event_context": e.context,
	}
	return e
}

// eventName is an event's type, with a message's subtype after a slash.
func eventName(event map[string]any) string {
	name, _ := event["type"].(string)
	if sub, ok := event["subtype"].(string); ok && name == "message" {
		name += "/" + sub
	}
	return name
}

// authorized are the bot and the people of an installation who may see the event: the bot
// first, then by id.
func (in *Install) authorized(n emission) []authorization {
	var out []authorization
	sub, scope := subscription(n)
	if in.bot != nil && subscribed(in.App.spec.BotEvents, sub) && in.bot.dead == "" && in.bot.allows(scope...) && n.visible(in.Bot) {
		out = append(out, authorization{in.Bot, true})
	}
	if !subscribed(in.App.spec.UserEvents, sub) || sub == "app_mention" {
		return out
	}
	var people []authorization
	for _, t := range in.people {
		if t.dead == "" && t.allows(scope...) && n.visible(t.user) {
			people = append(people, authorization{t.user, false})
		}
	}
	slices.SortFunc(people, func(a, b authorization) int { return cmp.Compare(a.user.ID, b.user.ID) })
	return append(out, people...)
}

func (n emission) visible(u *User) bool {
	switch {
	case n.only != nil:
		return n.only == u
	case n.channel == nil || n.open && n.channel.kind == public:
		return true
	}
	return n.channel.has(u)
}

func subscribed(list []string, name string) bool {
	if list == nil {
		return name != "app_mention"
	}
	return slices.Contains(list, name)
}

// subscription is the name under which an app subscribes to an event, and the scopes of
// which it needs one.
func subscription(n emission) (name string, scope []string) {
	typ, _ := n.event["type"].(string)
	group := public
	if n.channel != nil {
		group = n.channel.kind
	}
	switch {
	case typ == "message":
		return "message." + [...]string{"channels", "groups", "im", "mpim"}[group], []string{group.scopeGroup() + ":history"}
	case typ == "app_mention":
		return typ, []string{"app_mentions:read"}
	case strings.HasPrefix(typ, "member_"), strings.HasPrefix(typ, "channel_"), strings.HasPrefix(typ, "group_"), strings.HasPrefix(typ, "im_"):
		return typ, []string{group.scopeGroup() + ":read"}
	case strings.HasPrefix(typ, "reaction_"):
		return typ, []string{"reactions:read"}
	case strings.HasPrefix(typ, "pin_"):
		return typ, []string{"pins:read"}
	case strings.HasPrefix(typ, "file_"):
		return typ, []string{"files:read"}
	case typ == "emoji_changed":
		return typ, []string{"emoji:read"}
	case typ == "user_profile_changed":
		return typ, []string{"users.profile:read"}
	case typ == "team_join", strings.HasPrefix(typ, "user_"):
		return typ, []string{"users:read"}
	case strings.HasPrefix(typ, "subteam_"):
		return typ, []string{"usergroups:read"}
	case strings.HasPrefix(typ, "team_"):
		return typ, []string{"team:read"}
	}
	return typ, nil
}
