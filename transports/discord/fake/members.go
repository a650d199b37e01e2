package fake

import (
	"bytes"
	"encoding/json"
)

// members answers with GUILD_MEMBERS_CHUNK events. Without the member intent only named
// users and searches are answered. (events/gateway-events.mdx, Request Guild Members)
func (c *conn) members(d []byte) {
	var p struct {
		Guild     ID              `json:"guild_id"`
		Query     *string         `json:"query"`
		Limit     int             `json:"limit"`
		Presences bool            `json:"presences"`
		Users     json.RawMessage `json:"user_ids"`
		Nonce     string          `json:"nonce"`
	}
	if json.Unmarshal(d, &p) != nil {
		c.close(4002, "Decode error")
		return
	}
	v := c.sess
	g := c.s.guilds[p.Guild]
	if g == nil || !v.app.in(g) || p.Presences && v.intents&IntentPresences == 0 {
		return
	}
	var found []*member
	missing := []ID{}
	if users := userList(p.Users); users != nil {
		for _, id := range users[:min(100, len(users))] {
			if m := g.members[id]; m != nil {
				found = append(found, m)
			} else {
				missing = append(missing, id)
			}
		}
	} else if p.Query != nil {
		if *p.Query == "" && p.Limit == 0 && v.intents&IntentMembers == 0 {
			return
		}
		if *p.Query != "" && (p.Limit == 0 || p.Limit > 100) {
			p.Limit = 100
		}
		found = g.search(*p.Query, p.Limit)
	}
	c.s.chunks(v, g, found, chunkOptions{missing, p.Presences, p.Nonce})
}

func userList(d []byte) []ID {
	d = bytes.TrimSpace(d)
	var one ID
	var many []ID
	if json.Unmarshal(d, &many) == nil {
		return many
	}
	if json.Unmarshal(d, &one) == nil && one != "" {
		return []ID{one}
	}
	return nil
}

type chunkOptions struct {
	missing   []ID
	presences bool
	nonce     string
}

// chunks sends members by the thousand.
func (s *Server) chunks(v *session, g *guild, found []*member, o chunkOptions) {
	const size = 1000
	count := max(1, (len(found)+size-1)/size)
	for i := range count {
		part := found[min(len(found), i*size):min(len(found), (i+1)*size)]
		b := obj{"guild_id": g.id, "members": shapes(part, (*member).json), "chunk_index": i, "chunk_count": count}
		if len(o.missing) > 0 {
			b["not_found"] = o.missing
		}
		if o.presences {
			list := []obj{}
			for _, m := range part {
				if m.user.visible() {
					p := m.user.presence(g)
					delete(p, "guild_id")
					list = append(list, p)
				}
			}
			b["presences"] = list
		}
		if o.nonce != "" && len(o.nonce) <= 32 {
			b["nonce"] = o.nonce
		}
		s.append(v, "GUILD_MEMBERS_CHUNK", b)
	}
}
