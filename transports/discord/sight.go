package discord

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// What the bot sees: guilds, channels and threads that come, change and go. Everything that comes
// or goes is compared with what was known, so that only changes are delivered.

func (s *client) onReady(ctx context.Context, n *gatewayEvent) error {
	ready, ok := decode[struct {
		Session string          `json:"session_id"`
		URL     string          `json:"resume_gateway_url"`
		Guilds  []objects.Guild `json:"guilds"`
	}](s, n)
	if !ok {
		return nil
	}
	if len(ready.Guilds) == 0 {
		transports.Notice(s.sink, "guilds", "the bot is in no server yet, so that there is nobody to talk with. Invite it by "+s.cred.invitation())
	}
	again := s.progress.begin(ready.Session, ready.URL)
	n.session = ready.Session
	s.report(transports.Online, nil)
	if again {
		s.sink.Resynced()
	}
	for _, id := range s.state.GuildIDs() { // the bot was removed while it was away
		if !slices.ContainsFunc(ready.Guilds, func(g objects.Guild) bool { return g.ID == id }) {
			s.loseGuild(ctx, n, id)
		}
	}
	return nil
}

func (s *client) onResumed(context.Context, *gatewayEvent) error {
	s.report(transports.Online, nil)
	return nil
}

// rooms is how the channels of a guild are shown now.
func (s *client) rooms(guildID string) map[string]transports.RoomInfo {
	all := map[string]transports.RoomInfo{}
	for _, c := range s.state.ChannelsOf(guildID) {
		if c.Shown() {
			all[c.ID] = s.room(c)
		}
	}
	return all
}

func (s *client) onGuild(ctx context.Context, n *gatewayEvent) error {
	g, ok := decode[objects.Guild](s, n)
	if !ok || g.Unavailable {
		return nil
	}
	before := s.rooms(g.ID)
	s.state.SetGuild(g)
	for _, m := range g.Members { // before the channels: what the bot may do in them depends on its roles
		if m.User != nil {
			s.state.SetMemberRoles(g.ID, m.User.ID, m.Roles)
		}
	}
	there := map[string]bool{}
	for _, c := range append(slices.Clone(g.Channels), g.Threads...) {
		c.GuildID = g.ID
		if c.Hidden() {
			continue
		}
		there[c.ID] = true
		s.state.SetChannel(c)
	}
	for _, c := range s.state.ChannelsOf(g.ID) { // deleted or hidden meanwhile; archived threads are not listed
		if !there[c.ID] && (!c.IsThread() || !there[c.ParentID]) {
			s.state.DropChannel(c.ID)
		}
	}
	s.compare(ctx, n, before, s.rooms(g.ID))
	for _, m := range g.Members {
		if m.User == nil {
			continue
		}
		info, changed := s.state.SetMember(g.ID, m.User, m.Nick)
		if !changed || m.User.ID == s.cred.Bot {
			continue
		}
		s.contact(ctx, n, n.key+"/"+m.User.ID, info)
	}
	for _, p := range g.Presences {
		s.presence(ctx, n, p)
	}
	return nil
}

// compare delivers what has changed of rooms.
func (s *client) compare(ctx context.Context, n *gatewayEvent, before, after map[string]transports.RoomInfo) {
	for _, id := range sorted(before) {
		was := before[id]
		if is, still := after[id]; still && is.Kind == was.Kind {
			continue
		}
		s.gone(ctx, n, was) // a room of another kind is another place
	}
	for _, id := range sorted(after) {
		if was, known := before[id]; known && reflect.DeepEqual(was, after[id]) {
			continue
		}
		s.changed(ctx, n, after[id])
	}
}

func sorted(rooms map[string]transports.RoomInfo) []string {
	ids := make([]string, 0, len(rooms))
	for id := range rooms {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, objects.Order)
	return ids
}

func (s *client) changed(ctx context.Context, n *gatewayEvent, info transports.RoomInfo) {
	s.post(ctx, n, transports.Event{
		Key: n.key + "/" + string(info.ID), Room: info.ID, Kind: info.Kind, Peer: info.Peer, At: time.Now().UTC(), Body: transports.RoomChanged{Info: info},
	})
}

func (s *client) gone(ctx context.Context, n *gatewayEvent, info transports.RoomInfo) {
	s.post(ctx, n, transports.Event{
		Key: n.key + "/gone/" + string(info.ID), Room: info.ID, Kind: info.Kind, Peer: info.Peer, At: time.Now().UTC(), Body: transports.RoomGone{},
	})
}

// onGuildUpdate takes in a guild's new name, and what everybody may see in it.
func (s *client) onGuildUpdate(ctx context.Context, n *gatewayEvent) error {
	g, ok := decode[objects.Guild](s, n)
	if !ok {
		return nil
	}
	before := s.rooms(g.ID)
	s.state.SetGuild(g)
	s.compare(ctx, n, before, s.rooms(g.ID))
	return nil
}

func (s *client) onRole(ctx context.Context, n *gatewayEvent) error {
	r, ok := decode[objects.RoleChange](s, n)
	if !ok || r.Role == nil {
		return nil
	}
	var before map[string]transports.RoomInfo
	everyone := r.Role.ID == r.GuildID
	if everyone {
		before = s.rooms(r.GuildID)
	}
	s.state.SetRole(r.GuildID, r.Role)
	if !everyone {
		return nil
	}
	s.compare(ctx, n, before, s.rooms(r.GuildID))
	return nil
}

// onRoleDelete forgets a role: Discord does not name the members who had it.
func (s *client) onRoleDelete(_ context.Context, n *gatewayEvent) error {
	if r, ok := decode[objects.RoleChange](s, n); ok {
		s.state.DropRole(r.GuildID, r.RoleID)
	}
	return nil
}

func (s *client) onEmoji(_ context.Context, n *gatewayEvent) error {
	e, ok := decode[objects.EmojiChange](s, n)
	if ok {
		s.state.SetEmoji(e.GuildID, e.Emojis)
	}
	return nil
}

func (s *client) onGuildDelete(ctx context.Context, n *gatewayEvent) error {
	g, ok := decode[objects.Guild](s, n)
	if !ok || g.Unavailable { // an outage, not a removal
		return nil
	}
	s.loseGuild(ctx, n, g.ID)
	return nil
}

func (s *client) loseGuild(ctx context.Context, n *gatewayEvent, id string) {
	before := s.rooms(id)
	for _, c := range s.state.ChannelsOf(id) {
		s.state.DropChannel(c.ID)
	}
	s.state.DropGuild(id)
	s.compare(ctx, n, before, nil)
}

// onChannel takes in how the bot sees a channel or a thread now.
func (s *client) onChannel(ctx context.Context, n *gatewayEvent) error {
	c, ok := decode[objects.Channel](s, n)
	if !ok || c.ID == "" {
		return nil
	}
	s.look(ctx, n, c)
	return nil
}

func (s *client) look(ctx context.Context, n *gatewayEvent, c *objects.Channel) {
	if c.Hidden() {
		s.lose(ctx, n, c.ID)
		return
	}
	before := s.roomsOf(c.ID)
	s.state.SetChannel(c)
	s.compare(ctx, n, before, s.roomsOf(c.ID))
}

// roomsOf is how a channel and its threads are shown now.
func (s *client) roomsOf(id string) map[string]transports.RoomInfo {
	all := map[string]transports.RoomInfo{}
	for _, c := range s.state.Family(id) {
		if c.Shown() {
			all[c.ID] = s.room(c)
		}
	}
	return all
}

// lose is a channel that was deleted or that the bot does not see any longer, with its threads.
func (s *client) lose(ctx context.Context, n *gatewayEvent, id string) {
	before := s.roomsOf(id)
	s.state.DropChannel(id)
	s.compare(ctx, n, before, s.roomsOf(id))
}

func (s *client) onChannelDelete(ctx context.Context, n *gatewayEvent) error {
	c, ok := decode[objects.Channel](s, n)
	if !ok {
		return nil
	}
	s.lose(ctx, n, c.ID)
	return nil
}

// onThreads takes in the live threads of channels that the bot has come to see.
func (s *client) onThreads(ctx context.Context, n *gatewayEvent) error {
	list, ok := decode[objects.Threads](s, n)
	if !ok {
		return nil
	}
	for _, c := range list.Threads {
		c.GuildID = list.GuildID
		s.look(ctx, n, c)
	}
	return nil
}

// onThreadMembers notices that the bot was taken out of a private thread.
func (s *client) onThreadMembers(ctx context.Context, n *gatewayEvent) error {
	u, ok := decode[objects.ThreadMembers](s, n)
	if !ok || !slices.Contains(u.Removed, s.cred.Bot) {
		return nil
	}
	if c := s.state.Channel(u.ID); c == nil || c.Type != objects.TypePrivateThread {
		return nil
	}
	s.lose(ctx, n, u.ID)
	return nil
}
