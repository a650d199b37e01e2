package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/content"
)

// receive turns an event into those of the contract and delivers them; nil means that Slack
// may forget it as far as this login is concerned.
func (s *client) receive(ctx context.Context, d *delivery, w *eventsPayload) error {
	e := &w.Event
	if w.Type == "app_rate_limited" {
		s.overrun()
		return nil
	}
	switch e.Type {
	case "message":
		return s.onMessage(ctx, d, w)
	case "reaction_added", "reaction_removed":
		return s.onReaction(ctx, d, e)
	case "member_joined_channel", "member_left_channel":
		return s.onMember(ctx, d, e)
	case "channel_left", "group_left", "channel_archive", "group_archive", "channel_deleted", "group_deleted", "im_close", "group_close":
		return s.onRoomGone(ctx, d, e)
	case "channel_rename", "group_rename", "channel_unarchive", "group_unarchive", "channel_joined", "group_joined", "im_created", "im_open", "mpim_open", "channel_created":
		return s.onRoomChange(ctx, d, e)
	case "team_join", "user_change", "user_profile_changed":
		return s.onUser(ctx, d, e)
	case "subteam_created", "subteam_updated":
		s.forgetGroups()
		return nil
	case "tokens_revoked", "app_uninstalled":
		return s.onRevoked(e)
	}
	return nil // nothing that we carry
}

// keepRaw has an event put aside of which not all could be read, the first of its kind.
func (s *client) keepRaw(ctx context.Context, d *delivery, e *rawEvent, u transports.Unreadable) {
	room, ok, err := s.sees(ctx, e.where())
	if err != nil || !ok || !s.raw.First(e.Type+" "+e.Subtype, u.Values) {
		return
	}
	u.Raw = u.Raw[:min(len(u.Raw), transports.MaxRaw)]
	sum := fnv.New64a()
	_, _ = sum.Write(u.Raw) // a hash takes everything
	event := s.occurrence(room, fmt.Sprintf("unreadable/%s/%x", e.TS, sum.Sum64()), e.EventTS, "", u)
	if event.At.IsZero() {
		event.At = time.Now().UTC()
	}
	d.post(ctx, s, event)
}

// withoutToken returns what Slack has sent without the token by which an app knows that it comes from Slack.
func withoutToken(payload json.RawMessage) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return nil
	}
	delete(members, "token")
	data, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return data
}

// occurrence makes an event of a room.
func (s *client) occurrence(room transports.RoomInfo, key, ts, actor string, body transports.Body) transports.Event {
	return transports.Event{
		Key: key, Room: room.ID, Kind: room.Kind, Peer: room.Peer, Actor: userID(s.cred.Team, actor), At: stampTime(ts), Body: body,
	}
}

func (s *client) onMessage(ctx context.Context, d *delivery, w *eventsPayload) error {
	channel := w.Event.channel()
	room, ok, err := s.sees(ctx, channel)
	if err != nil || !ok {
		return err
	}
	if w.Event.Subtype == "channel_topic" || w.Event.Subtype == "group_topic" || w.Event.Subtype == "channel_name" || w.Event.Subtype == "group_name" {
		s.forget(channel)
		if err := s.onRoomChange(ctx, d, &w.Event); err != nil {
			return err
		}
	}
	if err := s.complete(ctx, w.Event.shown().Files); err != nil {
		return err
	}
	s.lookUp(ctx, w.Event.shown())
	event, ok := s.convert(&w.Event, room, w.APIAppID)
	if !ok {
		return nil
	}
	d.post(ctx, s, event)
	return nil
}

// shown is the message that an event shows: itself, or a changed one.
func (e *rawEvent) shown() *rawMessage {
	if e.Message != nil {
		return e.Message
	}
	return &e.rawMessage
}

// convert makes an event of a message event; ok is false for those that show nothing.
func (s *client) convert(e *rawEvent, room transports.RoomInfo, app string) (event transports.Event, ok bool) {
	switch e.Subtype {
	case "message_changed":
		if e.Message == nil || e.Message.TS == "" {
			return event, false
		}
		if e.Message.Subtype == "tombstone" { // deleted, but it has replies
			return s.deleted(e, e.Message.TS, room), true
		}
		if e.Message.Subtype == "huddle_thread" {
			return s.huddle(e.Message, room), e.Message.Room.Ended
		}
		if e.Message.Edited == nil && !e.Message.lostFile() { // a link's preview, or a thread's counters
			return event, false
		}
		return s.edited(e.Message, cmp.Or(e.EventTS, e.TS), room, app), true
	case "message_deleted":
		return s.deleted(e, e.DeletedTS, room), e.DeletedTS != ""
	case "message_replied", "channel_join", "group_join", "channel_leave", "group_leave":
		return event, false // the member_ events have it
	}
	if e.Subtype == "huddle_thread" {
		return s.huddle(&e.rawMessage, room), e.TS != ""
	}
	return s.message(&e.rawMessage, room, app), e.TS != ""
}

// huddle makes the event of a huddle that began or ended.
func (s *client) huddle(m *rawMessage, room transports.RoomInfo) transports.Event {
	key := m.TS
	if m.Room.Ended {
		key += "/ended"
	}
	return s.occurrence(room, key, m.TS, m.Room.By, transports.Call{ID: m.Room.ID, URL: m.Room.Link, Ended: m.Room.Ended})
}

// message makes the event of a message, live or past.
func (s *client) message(m *rawMessage, room transports.RoomInfo, app string) transports.Event {
	event := s.frame(m, room, app)
	event.Key, event.At = m.TS, stampTime(m.TS)
	body := transports.Message{
		ID: transports.MessageID(m.TS), Text: s.text(m), Files: files(m.Files), Me: m.Subtype == "me_message", Notice: notices[m.Subtype],
	}
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		body.Thread = transports.MessageID(m.ThreadTS)
		body.ReplyTo = body.Thread
		body.InRoom = m.Subtype == "thread_broadcast" // "Also send to the channel"
	}
	if m.Edited != nil {
		body.Edited = stampTime(m.Edited.TS)
	}
	event.Body = body
	return event
}

// notices are the subtypes of messages that the network itself makes.
var notices = map[string]bool{
	"channel_topic": true, "channel_purpose": true, "channel_name": true, "channel_archive": true, "channel_unarchive": true,
	"group_topic": true, "group_purpose": true, "group_name": true, "group_archive": true, "group_unarchive": true,
	"huddle_thread": true, "reminder_add": true, "pinned_item": true, "bot_add": true, "bot_remove": true, "channel_posting_permissions": true,
}

// edited is a message as it is now; ts is when a file of it was deleted, where nothing else was changed.
func (s *client) edited(m *rawMessage, ts string, room transports.RoomInfo, app string) transports.Event {
	event, text := s.frame(m, room, app), s.text(m)
	if m.Edited != nil {
		ts = m.Edited.TS
	}
	// edited.ts has whole seconds: what was written tells apart the edits of one second.
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, text.String()) // a hash takes everything
	for _, f := range m.Files {
		if f.Mode == deletedFile { // which leaves edited.ts as it is
			_, _ = io.WriteString(sum, "\x00"+f.ID)
		}
	}
	event.Key, event.At = fmt.Sprintf("%s/edit/%s/%x", m.TS, ts, sum.Sum64()), stampTime(ts)
	left := files(m.Files)
	if text.IsEmpty() && len(left) == 0 && m.lostFile() {
		text = richtext.FromPlain("This file was deleted.") // as Slack shows it
	}
	event.Body = transports.Edit{ID: transports.MessageID(m.TS), Text: text, Files: left}
	return event
}

func (s *client) deleted(e *rawEvent, ts string, room transports.RoomInfo) transports.Event {
	var previous rawMessage
	_, _ = lenientjson.Unmarshal(e.PreviousMessage, &previous) // [] at times: then nobody is known to have written it
	event := s.frame(&previous, room, "")
	event.Key, event.At, event.Own = ts+"/delete", stampTime(e.EventTS), false
	if event.At.IsZero() {
		event.At = stampTime(e.TS)
	}
	event.Body = transports.Delete{IDs: []transports.MessageID{transports.MessageID(ts)}}
	return event
}

// frame is what all events of a message share.
func (s *client) frame(m *rawMessage, room transports.RoomInfo, app string) transports.Event {
	event := transports.Event{
		Room: room.ID, Kind: room.Kind, Peer: room.Peer, Actor: userID(s.cred.Team, m.user()), Name: content.Emojis(content.Unescape(m.Username)), Nonce: m.clientID(),
	}
	if event.Actor == "" && m.BotID != "" {
		event.Actor, event.Name = userID(s.cred.Team, m.BotID), content.Emojis(content.Unescape(cmp.Or(m.Username, m.BotProfile.Name)))
	}
	event.Own = m.AppID != "" && (m.AppID == app || m.AppID == s.cred.appID()) || m.BotID != "" && m.BotID == s.cred.BotID
	return event
}

func (s *client) onReaction(ctx context.Context, d *delivery, e *rawEvent) error {
	if e.Item.Type != "message" {
		return nil
	}
	room, ok, err := s.sees(ctx, e.Item.Channel)
	if err != nil || !ok {
		return err
	}
	body := transports.Reactions{ID: transports.MessageID(e.Item.TS)}
	if e.Type == "reaction_added" {
		body.Add = []string{content.Reaction(e.Reaction)}
	} else {
		body.Remove = []string{content.Reaction(e.Reaction)}
	}
	d.post(ctx, s, s.occurrence(room, e.Item.TS+"/"+e.Type+"/"+e.user()+"/"+e.Reaction+"/"+e.EventTS, e.EventTS, e.user(), body))
	return nil
}

func (s *client) onMember(ctx context.Context, d *delivery, e *rawEvent) error {
	channel, id := e.channel(), e.user()
	joined := e.Type == "member_joined_channel"
	if id == s.cred.Self {
		s.forget(channel)
	}
	room, ok, err := s.sees(ctx, channel)
	if err != nil || !ok {
		return err
	}
	if id == s.cred.Self && joined {
		d.post(ctx, s, s.occurrence(room, "room/"+e.EventTS, e.EventTS, e.Inviter, transports.RoomChanged{Info: room}))
	}
	info, err := s.known(ctx, id)
	if err != nil {
		return err
	}
	key := "member/" + id + "/" + e.EventTS
	d.post(ctx, s, s.occurrence(room, key, e.EventTS, id, transports.Member{User: info, Joined: joined, By: userID(s.cred.Team, e.Inviter)}))
	return nil
}

// known is somebody's profile, asked for where it is not in memory; who is not to be
// found is known by id alone.
func (s *client) known(ctx context.Context, id string) (transports.UserInfo, error) {
	s.mu.Lock()
	info, ok := s.people[id]
	s.mu.Unlock()
	if ok {
		return info, nil
	}
	info, err := s.Profile(ctx, userID(s.cred.Team, id))
	if err != nil && transports.ClassOf(err) == transports.Refused {
		return transports.UserInfo{ID: userID(s.cred.Team, id), Name: id, Group: s.cred.TeamName}, nil
	}
	return info, err
}

func (s *client) onRoomGone(ctx context.Context, d *delivery, e *rawEvent) error {
	channel := e.channel()
	s.mu.Lock()
	room, ok := s.rooms[channel]
	s.mu.Unlock()
	s.forget(channel)
	if !ok {
		return nil
	}
	archived := e.Type == "channel_archive" || e.Type == "group_archive"
	d.post(ctx, s, s.occurrence(room, "gone/"+e.EventTS, e.EventTS, e.user(), transports.RoomGone{Archived: archived}))
	return nil
}

func (s *client) onRoomChange(ctx context.Context, d *delivery, e *rawEvent) error {
	channel := e.channel()
	s.forget(channel)
	if e.Type == "channel_created" { // nobody of ours is in it yet, but it can be found
		room := transports.RoomInfo{
			ID: roomID(s.cred.Team, channel), Kind: transports.Public, Name: content.Unescape(e.channelName()), Group: s.cred.TeamName, Writable: true,
		}
		d.post(ctx, s, s.occurrence(room, "room/"+e.EventTS, e.EventTS, e.user(), transports.RoomChanged{Info: room}))
		return nil
	}
	room, ok, err := s.sees(ctx, channel)
	if err != nil || !ok {
		return err
	}
	ts := e.EventTS
	if ts == "" {
		ts = e.TS
	}
	d.post(ctx, s, s.occurrence(room, "room/"+ts, ts, e.user(), transports.RoomChanged{Info: room}))
	return nil
}

func (s *client) onUser(ctx context.Context, d *delivery, e *rawEvent) error {
	var u rawUser
	if _, err := lenientjson.Unmarshal(e.UserRef, &u); err != nil || u.ID == "" || u.ID == slackbot {
		return nil
	}
	info := s.person(u)
	s.remember(u.ID, info)
	if u.ID == s.cred.Self || u.ID == s.cred.BotUser {
		return nil
	}
	at := stampTime(e.EventTS)
	if at.IsZero() {
		at = time.Now().UTC()
	}
	d.post(ctx, s, transports.Event{Key: "user/" + u.ID + "/" + e.EventTS, At: at, Body: transports.Contact{Info: info}})
	return nil
}

func (s *client) onRevoked(e *rawEvent) error {
	mine := e.Type == "app_uninstalled" || slices.Contains(e.Tokens.Bot, s.cred.BotUser) && s.cred.User == "" || slices.Contains(e.Tokens.OAuth, s.cred.Self)
	if mine {
		s.reportFinal(transports.Relink("the token was revoked, or the app was removed from the workspace", nil))
	}
	return nil
}
