package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// news is one event of the gateway.
type news struct {
	session string
	seq     int64
	// key stands for events that have no id of their own: session and number, which a replay repeats.
	key  string
	kind string
	data json.RawMessage
}

// handlers says what each event of the gateway means; one that is not here is not carried.
var handlers = map[string]func(*session, context.Context, *news) error{
	"READY":                   (*session).onReady,
	"RESUMED":                 (*session).onResumed,
	"GUILD_CREATE":            (*session).onGuild,
	"GUILD_UPDATE":            (*session).onGuildUpdate,
	"GUILD_DELETE":            (*session).onGuildDelete,
	"GUILD_ROLE_CREATE":       (*session).onRole,
	"GUILD_ROLE_UPDATE":       (*session).onRole,
	"GUILD_EMOJIS_UPDATE":     (*session).onEmoji,
	"GUILD_MEMBER_ADD":        (*session).onMember,
	"GUILD_MEMBER_UPDATE":     (*session).onMember,
	"GUILD_MEMBER_REMOVE":     (*session).onMemberRemove,
	"CHANNEL_CREATE":          (*session).onChannel,
	"CHANNEL_UPDATE":          (*session).onChannel,
	"CHANNEL_DELETE":          (*session).onChannelDelete,
	"THREAD_CREATE":           (*session).onChannel,
	"THREAD_UPDATE":           (*session).onChannel,
	"THREAD_DELETE":           (*session).onChannelDelete,
	"THREAD_LIST_SYNC":        (*session).onThreads,
	"THREAD_MEMBERS_UPDATE":   (*session).onThreadMembers,
	"MESSAGE_CREATE":          (*session).onMessage,
	"MESSAGE_UPDATE":          (*session).onMessageUpdate,
	"MESSAGE_DELETE":          (*session).onMessageDelete,
	"MESSAGE_DELETE_BULK":     (*session).onMessageDelete,
	"MESSAGE_REACTION_ADD":    (*session).onReaction,
	"MESSAGE_REACTION_REMOVE": (*session).onReaction,
	"TYPING_START":            (*session).onTyping,
	"PRESENCE_UPDATE":         (*session).onPresence,
}

// fleeting are the events after which the way so far is not worth keeping.
var fleeting = map[string]bool{"PRESENCE_UPDATE": true, "TYPING_START": true}

// dispatch handles one event and notes its number behind it. An error ends the connection, and the
// event comes again.
func (s *session) dispatch(ctx context.Context, f frame) error {
	if f.Seq == nil {
		return nil
	}
	n := &news{session: s.progress.resume().Session, seq: *f.Seq, kind: f.Type, data: f.Data}
	n.key = n.session + "/" + strconv.FormatInt(n.seq, 10)
	if handle := handlers[f.Type]; handle != nil {
		if err := s.guarded(ctx, handle, n); err != nil {
			s.notKept(n, err)
			return err
		}
	}
	point := s.progress.advance(n.seq)
	if !fleeting[f.Type] {
		s.save(point)
	}
	return nil
}

func (s *session) save(point resume) {
	if data, err := json.Marshal(point); err == nil { // a resume has nothing that cannot be written
		s.sink.Save(data)
	}
}

// guarded keeps one event that we cannot take from ending the process; it is lost to us, and logged.
func (s *session) guarded(ctx context.Context, handle func(*session, context.Context, *news) error, n *news) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("discord event", "event", n.kind, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = nil
		}
	}()
	return handle(s, ctx, n)
}

// decode reads an event's data; what is not of its shape is logged and passed over. A field of another
// type than ours is left empty, and the rest is taken.
func decode[T any](s *session, n *news) (*T, bool) {
	v := new(T)
	err := json.Unmarshal(n.data, v)
	var other *json.UnmarshalTypeError
	if err != nil && (!errors.As(err, &other) || other.Field == "") {
		s.log.Warn("discord sent an event that cannot be read", "event", n.kind, "err", err)
		return nil, false
	}
	return v, true
}

// post hands an event to the bridge without waiting. One that is not kept comes again: the way so far
// stays before it, and the connection is ended to be resumed there.
func (s *session) post(ctx context.Context, n *news, e transports.Event) {
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
func (s *session) notKept(n *news, err error) {
	s.log.Warn("discord event not kept", "event", n.kind, "key", n.key, "err", err)
	if point, ok := s.progress.fail(n.session, n.seq); ok {
		s.save(point)
	}
}

// event begins an event of a room.
func (s *session) event(c *discordgo.Channel, key, actor string, at time.Time) transports.Event {
	info := s.room(c)
	return transports.Event{Key: key, Room: info.ID, Kind: info.Kind, Peer: info.Peer, Actor: transports.UserID(actor), At: at}
}
