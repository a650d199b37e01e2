package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
)

// gatewayEvent is one event of the gateway.
type gatewayEvent struct {
	session string
	seq     int64
	// key is for events that have no id of their own: session and number, which a replay repeats.
	key  string
	kind string
	data json.RawMessage
	left []string // values that could not be read
}

// handlers has the handler of each event of the gateway; an event without one is ignored.
var handlers = map[string]func(*client, context.Context, *gatewayEvent) error{
	"READY":                         (*client).onReady,
	"RESUMED":                       (*client).onResumed,
	"GUILD_CREATE":                  (*client).onGuild,
	"GUILD_UPDATE":                  (*client).onGuildUpdate,
	"GUILD_DELETE":                  (*client).onGuildDelete,
	"GUILD_ROLE_CREATE":             (*client).onRole,
	"GUILD_ROLE_UPDATE":             (*client).onRole,
	"GUILD_ROLE_DELETE":             (*client).onRoleDelete,
	"GUILD_EMOJIS_UPDATE":           (*client).onEmoji,
	"GUILD_MEMBER_ADD":              (*client).onMember,
	"GUILD_MEMBER_UPDATE":           (*client).onMember,
	"GUILD_MEMBER_REMOVE":           (*client).onMemberRemove,
	"CHANNEL_CREATE":                (*client).onChannel,
	"CHANNEL_UPDATE":                (*client).onChannel,
	"CHANNEL_DELETE":                (*client).onChannelDelete,
	"THREAD_CREATE":                 (*client).onChannel,
	"THREAD_UPDATE":                 (*client).onChannel,
	"THREAD_DELETE":                 (*client).onChannelDelete,
	"THREAD_LIST_SYNC":              (*client).onThreads,
	"THREAD_MEMBERS_UPDATE":         (*client).onThreadMembers,
	"MESSAGE_CREATE":                (*client).onMessage,
	"MESSAGE_UPDATE":                (*client).onMessageUpdate,
	"MESSAGE_DELETE":                (*client).onMessageDelete,
	"MESSAGE_DELETE_BULK":           (*client).onMessageDelete,
	"MESSAGE_REACTION_ADD":          (*client).onReaction,
	"MESSAGE_REACTION_REMOVE":       (*client).onReaction,
	"MESSAGE_REACTION_REMOVE_ALL":   (*client).onReactionsCleared,
	"MESSAGE_REACTION_REMOVE_EMOJI": (*client).onReactionsCleared,
	"TYPING_START":                  (*client).onTyping,
	"PRESENCE_UPDATE":               (*client).onPresence,
}

// ephemeral are the events after which the position is not worth saving.
var ephemeral = map[string]bool{"PRESENCE_UPDATE": true, "TYPING_START": true}

// maxTries is how often an event comes that cannot be handled, because the answer to what has to be asked for it is an
// error: all others wait behind it.
const maxTries = 5

// dispatch handles one event and notes its number behind it. An error ends the connection, and the
// event comes again, a few times.
func (s *client) dispatch(ctx context.Context, f frame) error {
	point := s.progress.resume()
	n := &gatewayEvent{session: point.Session, seq: point.Seq + 1, kind: f.Type, data: f.Data}
	if f.Seq != nil { // else it cannot be read, and is the next one
		n.seq = *f.Seq
	}
	n.key = n.session + "/" + strconv.FormatInt(n.seq, 10)
	if handle := handlers[f.Type]; handle != nil {
		if err := s.guarded(ctx, handle, n); err != nil {
			if ctx.Err() != nil || s.progress.tryAgain(n.seq) {
				s.notKept(n, err)
				return err
			}
			s.passOver(n, err)
		}
	}
	if len(n.left) > 0 {
		s.keepRaw(ctx, n)
	}
	point = s.progress.advance(n.seq)
	if !ephemeral[f.Type] {
		s.save(point)
	}
	return nil
}

// keepRaw has an event put aside of which not all could be read, the first of its kind.
func (s *client) keepRaw(ctx context.Context, n *gatewayEvent) {
	u := transports.Unreadable{Raw: n.data[:min(len(n.data), transports.MaxRaw)], Values: n.left}
	var at struct {
		ChannelID string `json:"channel_id"`
	}
	_, _ = lenientjson.Unmarshal(n.data, &at) // it was decoded before
	if c := s.state.Channel(at.ChannelID); c != nil && s.raw.First(n.kind, n.left) {
		e := s.event(c, n.key+"/unreadable", "", time.Now().UTC())
		e.Body = u
		s.post(ctx, n, e)
	}
}

// passOver gives an event up. Its channel's history is read instead.
func (s *client) passOver(n *gatewayEvent, err error) {
	s.log.Error("a discord event is passed over: what it needs cannot be read", "event", n.kind, "key", n.key, "err", err)
	if at, ok := decode[struct {
		ChannelID string `json:"channel_id"`
	}](s, n); ok && content.IsSnowflake(at.ChannelID) {
		s.sink.Resynced(transports.RoomID(at.ChannelID))
	}
}

func (s *client) save(point resume) {
	if data, err := json.Marshal(point); err == nil { // a resume has nothing that cannot be written
		s.sink.Save(data)
	}
}

// guarded keeps one event that we cannot take from ending the process; it is lost to us, and logged.
func (s *client) guarded(ctx context.Context, handle func(*client, context.Context, *gatewayEvent) error, n *gatewayEvent) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("discord event", "event", n.kind, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = nil
		}
	}()
	return handle(s, ctx, n)
}

// decode reads an event's data. A value of another type than ours is left out and logged, and the rest is taken.
func decode[T any](s *client, n *gatewayEvent) (*T, bool) {
	v := new(T)
	left, err := lenientjson.Unmarshal(n.data, v)
	switch {
	case err != nil:
		s.log.Warn("discord sent an event that cannot be read", "event", n.kind, "err", err)
		return nil, false
	case len(left) > 0:
		s.log.Warn("an event of discord has values of other types, which are left out", "event", n.kind, "key", n.key, "values", left)
		n.left = left
	}
	return v, true
}

// post hands an event to the bridge without waiting. One that is not kept comes again: the position
// stays before it, and the connection is ended to be resumed there.
func (s *client) post(ctx context.Context, n *gatewayEvent, e transports.Event) {
	transports.Post(ctx, s.sink, e, func(err error) {
		switch {
		case err == nil:
		case transports.ClassOf(err) == transports.Refused: // nor would it be taken the next time
			s.log.Warn("discord event refused", "event", n.kind, "key", e.Key, "err", err)
		default:
			s.notKept(n, err)
			s.abort(fmt.Errorf("keep an event: %w", err))
		}
	})
}

// notKept sees to it that an event comes again.
func (s *client) notKept(n *gatewayEvent, err error) {
	s.log.Warn("discord event not kept", "event", n.kind, "key", n.key, "err", err)
	if point, ok := s.progress.fail(n.session, n.seq); ok {
		s.save(point)
	}
}

// event begins an event of a room.
func (s *client) event(c *objects.Channel, key, actor string, at time.Time) transports.Event {
	info := s.room(c)
	return transports.Event{Key: key, Room: info.ID, Kind: info.Kind, Peer: info.Peer, Actor: transports.UserID(actor), At: at}
}
