package fake

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// visible is the conversation with an id, if the token's user may know of it.
func (c *call) visible(id string) (*Channel, error) {
	ch := c.team.channel(id)
	if ch == nil || ch.kind != public && !ch.has(c.user) {
		return nil, refuse("channel_not_found")
	}
	return ch, nil
}

// visibleFor is visible with the scope for the conversation's kind.
func (c *call) visibleFor(what string) (*Channel, error) {
	ch, err := c.visible(c.str("channel"))
	if err != nil {
		return nil, err
	}
	return ch, c.needFor(ch.kind, what)
}

// json is the conversation as u sees it.
func (c *Channel) json(u *User) map[string]any {
	out := map[string]any{
		"id": c.ID, "created": c.created, "is_archived": c.archived, "is_im": c.kind == im, "is_org_shared": false,
		"context_team_id": c.team.ID, "updated": c.created * 1000, "priority": 0,
	}
	if c.kind == im {
		other := c.other(u)
		out["user"], out["is_user_deleted"], out["is_open"] = other.ID, other.deleted, true
		return out
	}
	more := map[string]any{
		"name": c.name, "name_normalized": c.name, "creator": c.creator, "unlinked": 0,
		// Private channels have ids with C and is_channel; is_group is of old ones.
		"is_channel": c.kind != mpim, "is_group": false, "is_mpim": c.kind == mpim, "is_private": c.kind != public,
		"is_general": c.general, "is_shared": false, "is_ext_shared": false, "is_pending_ext_shared": false,
		"is_member": c.has(u), "topic": c.topic.json(), "purpose": c.purpose.json(),
		"shared_team_ids": []any{c.team.ID}, "pending_shared": []any{}, "pending_connected_team_ids": []any{},
		"previous_names": texts(c.previous), "num_members": len(c.members),
	}
	for k, v := range more {
		out[k] = v
	}
	delete(out, "priority")
	return out
}

func texts(list []string) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// page cuts a page out of n things: from where the cursor points, at most limit, and fewer
// when ShortPages says so. next is the cursor of the next page, or "".
func (c *call) page(n, limit int) (from, to int, next string, err error) {
	if cursor := c.str("cursor"); cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		if err != nil {
			return 0, 0, "", refuse("invalid_cursor")
		}
		at, ok := strings.CutPrefix(string(raw), c.method+":")
		if from, err = strconv.Atoi(at); !ok || err != nil || from < 0 {
			return 0, 0, "", refuse("invalid_cursor")
		}
	}
	if from > n {
		from = n
	}
	if short := c.server.shortPages; short > 0 {
		limit = min(limit, short)
	}
	to = min(n, from+limit)
	if to < n {
		next = base64.StdEncoding.EncodeToString([]byte(c.method + ":" + strconv.Itoa(to)))
	}
	return from, to, next, nil
}

func cursor(next string) map[string]any { return map[string]any{"next_cursor": next} }

// limit is the limit argument, or def; Slack takes at most 1000.
func (c *call) limit(def int) int {
	return min(1000, max(1, c.num("limit", def)))
}

var kindsByName = map[string]kind{"public_channel": public, "private_channel": private, "im": im, "mpim": mpim}

// kindsAsked are the kinds in the types argument, each with its scope checked.
func (c *call) kindsAsked() (map[kind]bool, error) {
	names := c.list("types")
	if len(names) == 0 {
		names = []string{"public_channel"}
	}
	out := map[kind]bool{}
	for _, n := range names {
		k, ok := kindsByName[n]
		if !ok {
			return nil, refuse("invalid_types")
		}
		if err := c.needFor(k, "read"); err != nil {
			return nil, err
		}
		out[k] = true
	}
	return out, nil
}

// listOf is a page of the conversations that keep accepts.
func (c *call) listOf(keep func(*Channel) bool) (map[string]any, error) {
	var all []*Channel
	for _, ch := range c.team.channels {
		if keep(ch) && !(ch.archived && c.flag("exclude_archived", false)) {
			all = append(all, ch)
		}
	}
	from, to, next, err := c.page(len(all), c.limit(100))
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, ch := range all[from:to] {
		body := ch.json(c.user)
		if c.method == "users.conversations" {
			delete(body, "is_member") // Slack leaves these out here
			delete(body, "num_members")
		}
		list = append(list, body)
	}
	return map[string]any{"channels": list, "response_metadata": cursor(next)}, nil
}

// convList is conversations.list.
func (c *call) convList() (map[string]any, error) {
	kinds, err := c.kindsAsked()
	if err != nil {
		return nil, err
	}
	return c.listOf(func(ch *Channel) bool {
		return kinds[ch.kind] && (ch.kind == public || ch.has(c.user))
	})
}

// usersConversations is users.conversations.
func (c *call) usersConversations() (map[string]any, error) {
	kinds, err := c.kindsAsked()
	if err != nil {
		return nil, err
	}
	of := c.user
	if id := c.str("user"); id != "" {
		if of = c.team.user(id); of == nil {
			return nil, refuse("user_not_found")
		}
	}
	return c.listOf(func(ch *Channel) bool {
		return kinds[ch.kind] && ch.has(of) && (ch.kind == public || ch.has(c.user))
	})
}

// convInfo is conversations.info.
func (c *call) convInfo() (map[string]any, error) {
	ch, err := c.visibleFor("read")
	if err != nil {
		return nil, err
	}
	body := ch.json(c.user)
	if !c.flag("include_num_members", false) {
		delete(body, "num_members")
	}
	if ch.has(c.user) && c.tok.kind == userToken {
		body["last_read"] = cmp.Or(ch.read[c.user], "0000000000.000000")
	}
	return map[string]any{"channel": body}, nil
}

// convMembers is conversations.members.
func (c *call) convMembers() (map[string]any, error) {
	ch, err := c.visibleFor("read")
	if err != nil {
		return nil, err
	}
	from, to, next, err := c.page(len(ch.members), c.limit(100))
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, u := range ch.members[from:to] {
		list = append(list, u.ID)
	}
	return map[string]any{"members": list, "response_metadata": cursor(next)}, nil
}

// open is the DM or group DM of these users; it is made when there is none.
func (w *Workspace) open(users []*User, by *User) *Channel {
	slices.SortFunc(users, func(a, b *User) int { return cmp.Compare(a.ID, b.ID) })
	users = slices.Compact(users)
	if c := w.direct(users); c != nil {
		return c
	}
	c := &Channel{ID: w.server.ids.next("D"), server: w.server, team: w, kind: im, creator: by.ID,
		created: w.server.opt.Now().Unix(), members: users, read: map[*User]string{}}
	if len(users) > 2 {
		c.ID, c.kind = w.server.ids.next("C"), mpim
		var names []string
		for _, u := range users {
			names = append(names, u.person.Name)
		}
		slices.Sort(names)
		c.name = "mpdm-" + strings.Join(names, "--") + "-1"
		c.purpose = topic{"Group messaging with: @" + strings.Join(names, " @"), by.ID, c.created}
	}
	w.channels = append(w.channels, c)
	if c.kind == im {
		w.server.emit(emission{team: w, event: map[string]any{"type": "im_created", "user": by.ID,
			"channel": map[string]any{"id": c.ID}}, channel: c})
	}
	return c
}

// convOpen is conversations.open.
func (c *call) convOpen() (map[string]any, error) {
	full := c.flag("return_im", false)
	shape := func(ch *Channel, was bool) map[string]any {
		out := map[string]any{"channel": map[string]any{"id": ch.ID}}
		if full {
			out["channel"] = ch.json(c.user)
		}
		if was {
			out["no_op"], out["already_open"] = true, true
		}
		return out
	}
	if id := c.str("channel"); id != "" {
		ch, err := c.visible(id)
		if err != nil {
			return nil, err
		}
		if ch.kind != im && ch.kind != mpim {
			return nil, refuse("method_not_supported_for_channel_type")
		}
		return shape(ch, true), nil
	}
	ids := c.list("users")
	if len(ids) == 0 {
		return nil, refuse("users_list_not_supplied")
	}
	if len(ids) > 8 {
		return nil, refuse("too_many_users")
	}
	users := []*User{c.user}
	for _, id := range ids {
		u := c.team.user(id)
		switch {
		case u == nil:
			return nil, refuse("user_not_found")
		case u.deleted:
			return nil, refuse("user_disabled")
		}
		users = append(users, u)
	}
	k := im
	if len(ids) > 1 {
		k = mpim
	}
	if err := c.needFor(k, "write"); err != nil {
		return nil, err
	}
	was := c.team.direct(distinct(users)) != nil
	return shape(c.team.open(users, c.user), was), nil
}

func distinct(users []*User) []*User {
	var out []*User
	for _, u := range users {
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}
