package mattermost

import (
	"io"
	"net/http"
	"slices"
)

// json is a post as the API has it. The caller holds the lock.
func (s *Server) json(p *Post) object {
	reactions, files := []object{}, []object{}
	for _, r := range p.Reactions {
		reactions = append(reactions, object{"user_id": r.User, "post_id": p.ID, "emoji_name": r.Emoji, "create_at": p.changed})
	}
	for _, id := range p.Files {
		files = append(files, object{"id": id, "user_id": p.User, "post_id": p.ID, "name": s.files[id].Name, "size": len(s.files[id].Data), "mime_type": "text/plain"})
	}
	return object{
		"id": p.ID, "create_at": p.made, "update_at": p.changed, "edit_at": 0, "delete_at": 0, "user_id": p.User, "channel_id": p.Channel, "root_id": "",
		"message": p.Text, "type": "", "props": object{}, "file_ids": p.Files, "metadata": object{"files": files, "reactions": reactions},
	}
}

// post finds a post. The caller holds the lock.
func (s *Server) post(id string) *Post {
	for _, p := range s.posts {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// messages are the requests about posts.
func (s *Server) messages(on on) {
	on("POST /posts", func(r *http.Request) (int, any) {
		in := read[struct {
			Channel string   `json:"channel_id"`
			Text    string   `json:"message"`
			Files   []string `json:"file_ids"`
		}](r)
		return http.StatusCreated, s.json(s.add(Ann, in.Channel, in.Text, in.Files...))
	})
	on("PUT /posts/{post}", func(r *http.Request) (int, any) {
		p := s.post(r.PathValue("post"))
		if p == nil || p.User != Ann {
			return refused(http.StatusForbidden, "not yours")
		}
		s.edit(p, read[struct {
			Text string `json:"message"`
		}](r).Text)
		return http.StatusOK, s.json(p)
	})
	on("DELETE /posts/{post}", func(r *http.Request) (int, any) {
		p := s.post(r.PathValue("post"))
		if p == nil || p.User != Ann {
			return refused(http.StatusForbidden, "not yours")
		}
		s.remove(p)
		return http.StatusOK, object{"status": "OK"}
	})
}

// reactions are the requests about reactions.
func (s *Server) reactions(on on) {
	on("GET /posts/{post}/reactions", func(r *http.Request) (int, any) {
		if p := s.post(r.PathValue("post")); p != nil {
			return http.StatusOK, s.json(p)["metadata"].(object)["reactions"]
		}
		return refused(http.StatusNotFound, "no such post")
	})
	on("POST /reactions", func(r *http.Request) (int, any) {
		in := read[struct {
			Post  string `json:"post_id"`
			Emoji string `json:"emoji_name"`
		}](r)
		p := s.post(in.Post)
		if p == nil {
			return refused(http.StatusNotFound, "no such post")
		}
		s.react(p, Reaction{Ann, in.Emoji}, true)
		return http.StatusCreated, object{"user_id": Ann, "post_id": p.ID, "emoji_name": in.Emoji, "create_at": p.changed}
	})
	on("DELETE /users/{user}/posts/{post}/reactions/{emoji}", func(r *http.Request) (int, any) {
		if p := s.post(r.PathValue("post")); p != nil {
			s.react(p, Reaction{Ann, r.PathValue("emoji")}, false)
		}
		return http.StatusOK, object{"status": "OK"}
	})
}

// uploads are the requests about files.
func (s *Server) uploads(on on) {
	on("POST /files", func(r *http.Request) (int, any) {
		in, header, err := r.FormFile("files")
		if err != nil {
			return refused(http.StatusBadRequest, err.Error())
		}
		data, err := io.ReadAll(io.LimitReader(in, 1<<20))
		if err != nil {
			return refused(http.StatusBadRequest, err.Error())
		}
		id := s.id("file")
		s.files[id] = File{header.Filename, data}
		return http.StatusCreated, object{"file_infos": []object{{"id": id, "name": header.Filename, "size": len(data)}}, "client_ids": []string{}}
	})
	on("GET /files/{file}", func(r *http.Request) (int, any) { return http.StatusOK, s.files[r.PathValue("file")].Data })
}

// add adds a post and reports it. The caller holds the lock, as in the functions below.
func (s *Server) add(by, channel, text string, files ...string) *Post {
	now := s.tick()
	p := &Post{ID: s.id("post"), Channel: channel, User: by, Text: text, Files: files, made: now, changed: now}
	s.posts = append(s.posts, p)
	s.emit("posted", channel, object{"channel_type": s.channel(channel)["type"], "post": inString(s.json(p)), "sender_name": "@" + names()[by], "set_online": true})
	return p
}

func (s *Server) edit(p *Post, text string) {
	p.Text, p.changed = text, s.tick()
	s.emit("post_edited", p.Channel, object{"post": inString(s.json(p))})
}

func (s *Server) remove(p *Post) {
	s.posts = slices.DeleteFunc(s.posts, func(o *Post) bool { return o == p })
	s.emit("post_deleted", p.Channel, object{"post": inString(s.json(p)), "delete_by": p.User})
}

func (s *Server) react(p *Post, r Reaction, add bool) {
	p.changed = s.tick()
	p.Reactions = slices.DeleteFunc(p.Reactions, func(o Reaction) bool { return o == r })
	event := "reaction_removed"
	if add {
		p.Reactions = append(p.Reactions, r)
		event = "reaction_added"
	}
	s.emit(event, p.Channel, object{"reaction": inString(object{"user_id": r.User, "post_id": p.ID, "emoji_name": r.Emoji, "create_at": p.changed})})
}

// Say posts something as one of the two, to General or, if toOther is set, to the other one. It returns the id.
func (s *Server) Say(by string, toOther bool, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(by, channelOf(toOther), text).ID
}

// Share posts a file as Ben.
func (s *Server) Share(toOther bool, f File) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.id("file")
	s.files[id] = f
	return s.add(Ben, channelOf(toOther), "", id).ID
}

// Meet has Ben open the direct channel, once a client listens; false if none does.
func (s *Server) Meet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit("direct_added", direct, object{"creator_id": Ben, "teammate_id": Ann})
	return len(s.sockets) > 0
}

// Edit changes a post.
func (s *Server) Edit(id, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edit(s.post(id), text)
}

// Remove deletes a post.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(s.post(id))
}

// React adds a reaction of Ben.
func (s *Server) React(id, emoji string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.react(s.post(id), Reaction{Ben, emoji}, true)
}

// Posts are copies of the posts of General or, if toOther is set, of those between the two.
func (s *Server) Posts(toOther bool) (all []Post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.posts {
		if p.Channel == channelOf(toOther) {
			out := *p
			out.Reactions = slices.Clone(p.Reactions)
			all = append(all, out)
		}
	}
	return all
}

// File is an uploaded file.
func (s *Server) File(id string) File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[id]
}

func channelOf(toOther bool) string {
	if toOther {
		return direct
	}
	return General
}
