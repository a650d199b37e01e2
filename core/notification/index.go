package notification

import (
	"cmp"
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
)

// watched returns those who may have to be notified of a room's messages, as they are known or as they are read now.
func (n *Notifier) watched(ctx context.Context, m Message) (*watched, error) {
	enabled, changes := n.enabled.Load(), n.changes.Load()
	n.mu.Lock()
	w := n.rooms[m.Room]
	n.mu.Unlock()
	if w != nil && w.version == m.Version && w.public == m.Public &&
		(w.enabled == enabled || w.members > manyMembers && n.Now().Sub(w.read) < rereadAfter) {
		return w, nil
	}
	w = &watched{version: m.Version, enabled: enabled, read: n.Now(), public: m.Public, of: map[jid.JID]Member{}}
	if err := n.read(ctx, m, w); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changes.Load() == changes { // else what was read may be out of date: it is for this message only
		if len(n.rooms) >= maxRooms {
			clear(n.rooms)
		}
		n.rooms[m.Room] = w
	}
	return w, nil
}

// read reads who may have to be notified of a room's messages: members who have bookmarked it with autojoin or have not bookmarked it, and
// others who have bookmarked it with autojoin and may enter it.
func (n *Notifier) read(ctx context.Context, m Message, w *watched) error {
	bookmarks, err := n.Store.RoomBookmarks(ctx, m.Room, n.Accounts)
	if err != nil {
		return err
	}
	var asked []jid.JID
	for account, b := range bookmarks {
		if b.Autojoin {
			asked = append(asked, account)
		}
	}
	members, err := m.Members(ctx, asked)
	if err != nil {
		return err
	}
	w.members = len(members)
	reachable, err := n.reachable(ctx, members, bookmarks)
	if err != nil {
		return err
	}
	for _, o := range members {
		b, bookmarked := bookmarks[o.Account]
		if bookmarked && !b.Autojoin || !bookmarked && !reachable[o.Account] { // XEP-0402 §3.2: the account has left the room
			continue
		}
		o.Nick = cmp.Or(o.Nick, b.Nick, o.Account.Local())
		delete(reachable, o.Account) // once
		delete(bookmarks, o.Account)
		if len(w.list) >= n.Accounts {
			n.Crowded.Add(1)
			return nil
		}
		w.list = append(w.list, watcher{o, b})
		w.of[o.Account] = o
	}
	return nil
}

// reachable returns the members without a bookmark that can be notified.
func (n *Notifier) reachable(ctx context.Context, members []Member, bookmarks map[jid.JID]Bookmark) (map[jid.JID]bool, error) {
	var others []jid.JID
	for _, o := range members {
		if _, known := bookmarks[o.Account]; !known {
			others = append(others, o.Account)
		}
	}
	if len(others) == 0 {
		return nil, nil
	}
	list, err := n.Store.Notifiable(ctx, others)
	if err != nil {
		return nil, err
	}
	found := make(map[jid.JID]bool, len(list))
	for _, account := range list {
		found[account] = true
	}
	return found, nil
}
