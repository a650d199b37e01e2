package discord

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// handlers says what each event of the gateway means; one that is not here is not carried.
var handlers = map[string]func(*session, context.Context, json.RawMessage, string) error{
	"READY":                       (*session).onReady,
	"RESUMED":                     (*session).onResumed,
	"GUILD_CREATE":                (*session).onGuild,
	"GUILD_UPDATE":                (*session).onGuildUpdate,
	"GUILD_DELETE":                (*session).onGuildDelete,
	"GUILD_MEMBER_ADD":            (*session).onMemberAdd,
	"GUILD_MEMBER_UPDATE":         (*session).onMemberUpdate,
	"GUILD_MEMBER_REMOVE":         (*session).onMemberRemove,
	"CHANNEL_CREATE":              (*session).onChannel,
	"CHANNEL_UPDATE":              (*session).onChannel,
	"CHANNEL_DELETE":              (*session).onChannelDelete,
	"THREAD_CREATE":               (*session).onChannel,
	"THREAD_UPDATE":               (*session).onChannel,
	"THREAD_DELETE":               (*session).onChannelDelete,
	"MESSAGE_CREATE":              (*session).onMessage,
	"MESSAGE_UPDATE":              (*session).onMessageUpdate,
	"MESSAGE_DELETE":              (*session).onMessageDelete,
	"MESSAGE_DELETE_BULK":         (*session).onMessageDelete,
	"MESSAGE_REACTION_ADD":        (*session).onReaction,
	"MESSAGE_REACTION_REMOVE":     (*session).onReactionRemove,
	"TYPING_START":                (*session).onTyping,
	"PRESENCE_UPDATE":             (*session).onPresence,
	"MESSAGE_REACTION_REMOVE_ALL": nil,
}

// dispatch handles one event and notes its sequence number behind it. The key of an event that has no id of
// its own is the gateway's session and number, which a replay repeats.
func (s *session) dispatch(ctx context.Context, f frame) (err error) {
	if f.Seq == nil {
		return nil
	}
	if handle := handlers[f.Type]; handle != nil {
		key := s.state.resume().Session + "/" + strconv.FormatInt(*f.Seq, 10)
		if err := s.guarded(ctx, handle, f, key); err != nil {
			return err // the connection ends, and the event comes again
		}
	}
	point := s.state.advance(*f.Seq)
	if data, err := json.Marshal(point); err == nil && f.Type != "PRESENCE_UPDATE" && f.Type != "TYPING_START" {
		s.sink.Save(data)
	}
	return nil
}

// guarded keeps one event that we cannot take from ending the process; it is lost to us, and logged.
func (s *session) guarded(ctx context.Context, handle func(*session, context.Context, json.RawMessage, string) error, f frame, key string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("discord event", "event", f.Type, "panic", r, "stack", string(debug.Stack()))
			err = nil
		}
	}()
	return handle(s, ctx, f.Data, key)
}

// decode reads an event's data; what is not of its shape is logged and passed over.
func decode[T any](s *session, data json.RawMessage) (*T, bool) {
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		s.log.Warn("discord sent an event that cannot be read", "err", err)
		return nil, false
	}
	return v, true
}

// post hands an event to the bridge without waiting; the gateway's point is written behind it.
func (s *session) post(ctx context.Context, e transports.Event) error {
	failed := make(chan error, 1)
	transports.Post(ctx, s.sink, e, func(err error) {
		if err != nil {
			s.log.Error("discord event not taken", "key", e.Key, "err", err)
			failed <- err
			if c := s.connection(); c != nil {
				go func() { _ = c.ws.Close(resumable, "not taken") }() // it comes again on resume
			}
		}
	})
	select {
	case err := <-failed:
		return transports.Later(time.Second, err)
	default:
		return nil
	}
}

func (s *session) onReady(_ context.Context, data json.RawMessage, _ string) error {
	ready, ok := decode[struct {
		Session string `json:"session_id"`
		URL     string `json:"resume_gateway_url"`
	}](s, data)
	if !ok {
		return nil
	}
	again := s.state.begin(ready.Session, ready.URL)
	s.sink.State(transports.Online, nil)
	if again {
		s.sink.Resynced()
	}
	return nil
}

func (s *session) onResumed(context.Context, json.RawMessage, string) error {
	s.sink.State(transports.Online, nil)
	return nil
}

func (s *session) onGuild(ctx context.Context, data json.RawMessage, key string) error {
	g, ok := decode[discordgo.Guild](s, data)
	if !ok || g.Unavailable {
		return nil
	}
	s.state.setGuild(g)
	for _, c := range append(g.Channels, g.Threads...) {
		c.GuildID = g.ID
		s.state.setChannel(c)
	}
	for _, m := range g.Members {
		if m.User != nil {
			s.state.setMember(g.ID, m.User, m.Nick)
		}
	}
	for i, c := range append(g.Channels, g.Threads...) {
		if err := s.roomChanged(ctx, c, key+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	for _, m := range g.Members {
		if m.User == nil || m.User.ID == s.cred.Bot {
			continue
		}
		info, _ := s.state.user(m.User.ID)
		if err := s.post(ctx, transports.Event{Key: key + "/" + m.User.ID, At: time.Now().UTC(), Body: transports.Contact{Info: info}}); err != nil {
			return err
		}
	}
	for _, p := range g.Presences {
		if err := s.presence(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) onGuildUpdate(_ context.Context, data json.RawMessage, _ string) error {
	if g, ok := decode[discordgo.Guild](s, data); ok {
		s.state.setGuild(g)
	}
	return nil
}

func (s *session) onGuildDelete(ctx context.Context, data json.RawMessage, key string) error {
	g, ok := decode[discordgo.Guild](s, data)
	if !ok || g.Unavailable { // an outage, not a removal
		return nil
	}
	for _, c := range s.state.dropGuild(g.ID) {
		if err := s.gone(ctx, c, key+"/"+c.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) onMemberAdd(ctx context.Context, data json.RawMessage, key string) error {
	m, ok := decode[discordgo.Member](s, data)
	if !ok || m.User == nil {
		return nil
	}
	info := s.state.setMember(m.GuildID, m.User, m.Nick)
	if m.User.ID == s.cred.Bot {
		return nil
	}
	return s.post(ctx, transports.Event{Key: key, At: time.Now().UTC(), Body: transports.Contact{Info: info}})
}

func (s *session) onMemberUpdate(ctx context.Context, data json.RawMessage, key string) error {
	return s.onMemberAdd(ctx, data, key)
}

func (s *session) onMemberRemove(ctx context.Context, data json.RawMessage, key string) error {
	m, ok := decode[discordgo.Member](s, data)
	if !ok || m.User == nil {
		return nil
	}
	s.state.dropMember(m.GuildID, m.User.ID)
	for _, c := range s.state.allChannels() {
		if c.GuildID != m.GuildID || !shown(c) {
			continue
		}
		e := s.event(c, key+"/"+c.ID, m.User.ID, time.Now().UTC())
		e.Body = transports.Member{User: person(m.User, m.Nick)}
		if err := s.post(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) onChannel(ctx context.Context, data json.RawMessage, key string) error {
	c, ok := decode[discordgo.Channel](s, data)
	if !ok {
		return nil
	}
	s.state.setChannel(c)
	return s.roomChanged(ctx, c, key)
}

func (s *session) onChannelDelete(ctx context.Context, data json.RawMessage, key string) error {
	c, ok := decode[discordgo.Channel](s, data)
	if !ok {
		return nil
	}
	if known := s.state.channel(c.ID); known != nil {
		c = known
	}
	s.state.dropChannel(c.ID)
	return s.gone(ctx, c, key)
}

func (s *session) roomChanged(ctx context.Context, c *discordgo.Channel, key string) error {
	if !shown(c) {
		return nil
	}
	e := s.event(c, key, "", time.Now().UTC())
	e.Body = transports.RoomChanged{Info: s.room(c)}
	return s.post(ctx, e)
}

func (s *session) gone(ctx context.Context, c *discordgo.Channel, key string) error {
	if !shown(c) {
		return nil
	}
	e := s.event(c, key, "", time.Now().UTC())
	e.Body = transports.RoomGone{}
	return s.post(ctx, e)
}

// event begins an event of a room.
func (s *session) event(c *discordgo.Channel, key, actor string, at time.Time) transports.Event {
	info := s.room(c)
	return transports.Event{Key: key, Room: info.ID, Kind: info.Kind, Peer: info.Peer, Actor: transports.UserID(actor), At: at}
}

func (s *session) onTyping(ctx context.Context, data json.RawMessage, _ string) error {
	t, ok := decode[discordgo.TypingStart](s, data)
	if !ok || t.UserID == s.cred.Bot {
		return nil
	}
	c := s.state.channel(t.ChannelID)
	if c == nil {
		return nil
	}
	e := s.event(c, "", t.UserID, time.Now().UTC())
	e.Body = transports.Typing{On: true}
	return s.post(ctx, e)
}

func (s *session) onPresence(ctx context.Context, data json.RawMessage, _ string) error {
	p, ok := decode[discordgo.Presence](s, data)
	if !ok {
		return nil
	}
	return s.presence(ctx, p)
}

func (s *session) presence(ctx context.Context, p *discordgo.Presence) error {
	if p.User == nil || p.User.ID == s.cred.Bot {
		return nil
	}
	info := transports.PresenceInfo{User: transports.UserID(p.User.ID), Show: transports.Offline}
	switch p.Status {
	case discordgo.StatusOnline:
		info.Show = transports.Available
	case discordgo.StatusIdle:
		info.Show = transports.Away
	case discordgo.StatusDoNotDisturb:
		info.Show = transports.Busy
	}
	for _, a := range p.Activities {
		if a.Type == discordgo.ActivityTypeCustom {
			info.Status = a.State
		} else if info.Status == "" {
			info.Status = a.Name
		}
	}
	return s.post(ctx, transports.Event{Actor: info.User, At: time.Now().UTC(), Body: transports.Presence{Info: info}})
}
