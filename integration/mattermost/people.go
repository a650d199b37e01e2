package mattermost

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
)

// on adds a request.
type on = func(pattern string, answer func(r *http.Request) (int, any))

// names are the user names by id.
func names() map[string]string { return map[string]string{Ann: "ann", Ben: "ben"} }

func user(id string) object {
	name := names()[id]
	return object{
		"id": id, "username": name, "nickname": "", "first_name": map[string]string{Ann: "Ann", Ben: "Ben"}[id], "last_name": "Tester",
		"email": name + "@example.org", "last_picture_update": 1, "create_at": 1, "update_at": 1, "delete_at": 0, "roles": "system_user", "locale": "en",
	}
}

// people are the requests about users and the team.
func (s *Server) people(on on) {
	on("GET /users/{user}", func(r *http.Request) (int, any) {
		id := r.PathValue("user")
		if id == "me" {
			id = Ann
		}
		if names()[id] == "" {
			return refused(http.StatusNotFound, "no such user")
		}
		return http.StatusOK, user(id)
	})
	for id, name := range names() { // {name} would conflict with {user}/image
		on("GET /users/username/"+name, func(*http.Request) (int, any) { return http.StatusOK, user(id) })
	}
	on("POST /users/ids", func(r *http.Request) (int, any) {
		all := []object{}
		for _, id := range read[[]string](r) {
			if names()[id] != "" {
				all = append(all, user(id))
			}
		}
		return http.StatusOK, all
	})
	on("GET /users/{user}/image", func(*http.Request) (int, any) {
		var b bytes.Buffer
		_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)))
		return http.StatusOK, b.Bytes()
	})
	on("GET /users/{user}/status", func(r *http.Request) (int, any) {
		return http.StatusOK, object{"user_id": r.PathValue("user"), "status": "online", "manual": false, "last_activity_at": s.now}
	})
	on("PUT /users/{user}/status", func(r *http.Request) (int, any) { return http.StatusOK, read[object](r) })
	on("DELETE /users/{user}/status/custom", func(*http.Request) (int, any) { return http.StatusOK, object{"status": "OK"} })
	on("GET /teams/{team}", func(*http.Request) (int, any) {
		return http.StatusOK, object{"id": team, "name": "acme", "display_name": "Acme", "type": "I", "update_at": 1, "create_at": 1}
	})
	on("GET /teams/{team}/image", func(*http.Request) (int, any) { return refused(http.StatusNotFound, "no icon") })
}
