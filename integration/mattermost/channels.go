package mattermost

import (
	"net/http"
	"slices"
	"strconv"
)

// channel describes a channel. The caller holds the lock.
func (s *Server) channel(id string) object {
	c := object{"id": id, "create_at": 1, "update_at": 1, "delete_at": 0, "header": "", "purpose": "", "last_post_at": s.now, "total_msg_count": len(s.posts), "creator_id": Ben}
	switch id {
	case General:
		c["type"], c["team_id"], c["name"], c["display_name"], c["header"] = "P", team, "general", "General", "All things"
	case direct:
		c["type"], c["team_id"], c["name"], c["display_name"] = "D", "", Ann+"__"+Ben, ""
	default:
		return nil
	}
	return c
}

// channels are the requests about channels.
func (s *Server) channels(on on) {
	on("GET /users/{user}/channels", func(*http.Request) (int, any) {
		return http.StatusOK, []object{s.channel(General), s.channel(direct)}
	})
	on("GET /channels/{channel}", func(r *http.Request) (int, any) {
		if c := s.channel(r.PathValue("channel")); c != nil {
			return http.StatusOK, c
		}
		return refused(http.StatusNotFound, "no such channel")
	})
	on("GET /channels/{channel}/stats", func(r *http.Request) (int, any) {
		return http.StatusOK, object{"channel_id": r.PathValue("channel"), "member_count": 2}
	})
	on("GET /channels/{channel}/members", func(r *http.Request) (int, any) {
		all := []object{}
		if page := r.FormValue("page"); page == "" || page == "0" {
			for _, id := range []string{Ann, Ben} {
				all = append(all, object{"channel_id": r.PathValue("channel"), "user_id": id, "roles": "channel_user", "notify_props": object{}})
			}
		}
		return http.StatusOK, all
	})
	on("POST /channels/direct", func(*http.Request) (int, any) { return http.StatusCreated, s.channel(direct) })
	on("POST /channels/members/{user}/view", func(*http.Request) (int, any) {
		return http.StatusOK, object{"status": "OK", "last_viewed_at_times": object{}}
	})
	on("GET /channels/{channel}/posts", func(r *http.Request) (int, any) {
		page, _ := strconv.Atoi(r.FormValue("per_page"))
		return http.StatusOK, s.history(r.PathValue("channel"), r.FormValue("before"), page)
	})
}

// history is a page of a channel's posts before one of them, newest first. The caller holds the lock.
func (s *Server) history(channel, before string, page int) object {
	order, posts := []string{}, object{}
	more := ""
	for _, p := range slices.Backward(s.posts) {
		if before != "" {
			if p.ID == before {
				before = ""
			}
			continue
		}
		if p.Channel != channel {
			continue
		}
		if page > 0 && len(order) == page {
			more = order[len(order)-1]
			break
		}
		order = append(order, p.ID)
		posts[p.ID] = s.json(p)
	}
	return object{"order": order, "posts": posts, "next_post_id": "", "prev_post_id": more, "has_next": more != ""}
}
