package faultnet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// World is a network in memory. Its exported methods are for tests and demonstrations:
// they do what people on the network do, and make it misbehave (faults.go).
type World struct {
	MaxText int    // Info.MaxText
	Code    string // what a login asks for behind the password; "" is nothing
	NoNonce bool   // events do not carry Outgoing.ClientID, as on Slack
	// Bot is who events say has deleted a message, as on Slack, where they name the author's bot; "nobody" is that they
	// do not say it, and "" that they name the user.
	Bot transports.UserID
	Now func() time.Time // nil is time.Now

	mu       sync.Mutex
	users    map[transports.UserID]transports.UserInfo
	channels map[transports.RoomID]*channel
	order    []transports.RoomID
	clients  map[*client]bool
	tokens   map[transports.UserID]string
	counter  int
	counts   map[string]int // of events, by kind
	faults
}

// channel is a room with its messages.
type channel struct {
	info    transports.RoomInfo
	members []transports.UserID
	badges  map[transports.UserID][]transports.Badge
	entry   []*entry
}

type entry struct {
	event transports.Event // of the message as it is now
	id    string           // Outgoing.ClientID
	gone  bool
	// reactions are those of each person
	reactions map[transports.UserID][]string
}

// Parrot repeats what one writes to it.
const Parrot transports.UserID = "parrot"

// NewWorld makes a world with a parrot and a public room, "lobby".
func NewWorld() *World {
	w := &World{
		users: map[transports.UserID]transports.UserInfo{}, channels: map[transports.RoomID]*channel{},
		clients: map[*client]bool{}, tokens: map[transports.UserID]string{}, counts: map[string]int{},
	}
	w.AddUser(transports.UserInfo{ID: Parrot, Name: "Parrot", Bot: true})
	w.AddRoom(transports.RoomInfo{ID: "lobby", Kind: transports.Public, Name: "Lobby"}, Parrot)
	return w
}

// AddUser makes a person, who can log in.
func (w *World) AddUser(u transports.UserInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users[u.ID] = u
}

// AddRoom makes a room with people in it.
func (w *World) AddRoom(info transports.RoomInfo, members ...transports.UserID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.channels[info.ID] = &channel{info: info, members: members}
	w.order = append(w.order, info.ID)
}

// SetBadges sets what the network shows about a member of a room.
func (w *World) SetBadges(room transports.RoomID, user transports.UserID, badges ...transports.Badge) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[room]
	if c.badges == nil {
		c.badges = map[transports.UserID][]transports.Badge{}
	}
	c.badges[user] = badges
}

// Say is somebody writing something.
func (w *World) Say(room transports.RoomID, user transports.UserID, text string) transports.MessageID {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, _, _ := w.post(room, user, transports.Outgoing{Text: richtext.ParseStyling(text)})
	return id
}

// SayDirect is somebody writing to one person.
func (w *World) SayDirect(from, to transports.UserID, text string) transports.MessageID {
	w.mu.Lock()
	defer w.mu.Unlock()
	room, _ := w.direct(from, to)
	id, _, _ := w.post(room, from, transports.Outgoing{Text: richtext.ParseStyling(text)})
	return id
}

// Texts are the messages of a room as they are now: "user: text" for each message that was not deleted.
func (w *World) Texts(room transports.RoomID) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	if p := w.channels[room]; p != nil {
		for _, s := range p.entry {
			if !s.gone {
				list = append(list, string(s.event.Actor)+": "+s.event.Body.(transports.Message).Text.String())
			}
		}
	}
	return list
}

// DirectRoom is the id of a conversation.
func DirectRoom(a, b transports.UserID) transports.RoomID {
	return transports.RoomID("dm-" + min(a, b) + "-" + max(a, b))
}

// The methods below are called with the lock held.

var errNoRoom = transports.Refuse("item-not-found", "There is no such room or message.", nil)

func (w *World) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func (w *World) key(prefix string) string {
	w.counter++
	return fmt.Sprintf("%s/%06d", prefix, w.counter)
}

func (p *channel) find(id transports.MessageID) *entry {
	for _, s := range p.entry {
		if s.event.Body.(transports.Message).ID == id && !s.gone {
			return s
		}
	}
	return nil
}

// post adds a message. A repeated ClientID is the same message.
func (w *World) post(room transports.RoomID, user transports.UserID, m transports.Outgoing) (transports.MessageID, time.Time, error) {
	p := w.channels[room]
	if p == nil {
		return "", time.Time{}, errNoRoom
	}
	for _, s := range p.entry {
		if m.ClientID != "" && s.id == m.ClientID && (!w.NoNonce || m.Attempt > 1) {
			return s.event.Body.(transports.Message).ID, s.event.At, nil
		}
	}
	w.counter++
	id := transports.MessageID(fmt.Sprintf("m%06d", w.counter))
	e := transports.Event{
		Key: string(id), Actor: user, At: w.now(), Nonce: m.ClientID,
		Body: transports.Message{ID: id, Text: m.Text, ReplyTo: m.ReplyTo, Thread: m.Thread, Me: m.Me},
	}
	p.entry = append(p.entry, &entry{event: e, id: m.ClientID})
	if err := w.emit(room, e); err != nil {
		return "", e.At, err
	}
	if p.info.Kind == transports.Direct && user != Parrot && slices.Contains(p.members, Parrot) {
		_, _, err := w.post(room, Parrot, transports.Outgoing{Text: m.Text})
		return id, e.At, err
	}
	return id, e.At, nil
}

// emit sends an event to the clients of all who see the room.
func (w *World) emit(room transports.RoomID, e transports.Event) error {
	p := w.channels[room]
	if p == nil {
		return errNoRoom
	}
	if e.At.IsZero() {
		e.At = w.now()
	}
	w.counts[transports.BodyKind(e.Body)]++
	for s := range w.clients {
		if slices.Contains(p.members, s.user) {
			w.deliver(s, w.event(p, e, s.user))
		}
	}
	return nil
}

// event is an event as one login sees it. Its key is the same for all, and in the history.
func (w *World) event(p *channel, e transports.Event, user transports.UserID) transports.Event {
	e.Room, e.Kind, e.Own = p.info.ID, p.info.Kind, e.Actor == user
	if e.Kind == transports.Direct {
		e.Peer = p.members[0]
		if e.Peer == user && len(p.members) > 1 {
			e.Peer = p.members[1]
		}
	}
	if w.NoNonce || !e.Own {
		e.Nonce = ""
	}
	return e
}

func (w *World) edit(room transports.RoomID, user transports.UserID, id transports.MessageID, text richtext.Text) error {
	p := w.channels[room]
	if p == nil || p.find(id) == nil {
		return errNoRoom
	}
	s := p.find(id)
	if s.event.Actor != user {
		return transports.Refuse("forbidden", "Only its author may edit a message.", nil)
	}
	m := s.event.Body.(transports.Message)
	m.Text = text
	s.event.Body = m
	return w.emit(room, transports.Event{Key: w.key(string(id) + "/edit"), Actor: user, Body: transports.Edit{ID: id, Text: text}})
}

func (w *World) remove(room transports.RoomID, by transports.UserID, id transports.MessageID) error {
	p := w.channels[room]
	if p == nil || p.find(id) == nil {
		return errNoRoom
	}
	s := p.find(id)
	s.gone = true
	e := transports.Event{Key: string(id) + "/delete", Actor: by, Body: transports.Delete{IDs: []transports.MessageID{id}}}
	if w.Bot != "" {
		e.Actor = w.Bot
	}
	if w.Bot == "nobody" {
		e.Actor = ""
	}
	if s.event.Actor != by {
		e.Body = transports.Delete{IDs: []transports.MessageID{id}, By: by}
	}
	return w.emit(room, e)
}

func (w *World) direct(a, b transports.UserID) (transports.RoomID, error) {
	if _, ok := w.users[b]; !ok {
		return "", transports.Refuse("item-not-found", "There is no such person.", nil)
	}
	id := DirectRoom(a, b)
	if w.channels[id] == nil {
		w.channels[id] = &channel{info: transports.RoomInfo{ID: id, Kind: transports.Direct}, members: []transports.UserID{a, b}}
		w.order = append(w.order, id)
	}
	return id, nil
}

// history gives messages with their edits in them.
func (w *World) history(user transports.UserID, request transports.HistoryRequest) (page transports.HistoryPage, err error) {
	p := w.channels[request.Room]
	if p == nil || !slices.Contains(p.members, user) {
		return page, errNoRoom
	}
	if err := w.bad[request.Room]; err != nil {
		return page, err
	}
	for _, s := range p.entry {
		id := s.event.Body.(transports.Message).ID
		if !s.gone && id > request.After && (request.Before == "" || id < request.Before) {
			page.Events = append(page.Events, w.event(p, s.event, user))
		}
	}
	if n := len(page.Events); n > request.Limit {
		page.More = true
		if request.After == "" {
			page.Events = page.Events[n-request.Limit:]
		} else {
			page.Events = page.Events[:request.Limit]
		}
	}
	return page, nil
}

func (w *World) token(id transports.UserID) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counter++
	w.tokens[id] = fmt.Sprintf("secret-of-%s-%06d", id, w.counter)
	return w.tokens[id]
}

// take gives a client what the network has sent it.
func (w *World) take(s *client) []func(context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := s.queue
	s.queue = nil
	return list
}

// Last is the last message in a room as it is now.
func (w *World) Last(room transports.RoomID) transports.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last(room)
}

func (w *World) last(room transports.RoomID) transports.Message {
	if p := w.channels[room]; p != nil {
		for i := len(p.entry) - 1; i >= 0; i-- {
			if !p.entry[i].gone {
				return p.entry[i].event.Body.(transports.Message)
			}
		}
	}
	return transports.Message{}
}

// Count is how many events of a kind there were.
func (w *World) Count(kind string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[kind]
}
