// Package config is every setting of the server, once: one struct with defaults, a doc tag
// on each field, and validation that reports everything that is wrong at once. A network brings a
// Section of its own, which is read, checked and documented in the same way.
//
// Load reads TOML, then the environment (DRAGOMAN_ and the key's path in capitals, such as
// DRAGOMAN_SERVER_DATA), then the files that secrets may be in (key_file beside key).
// The example file and the reference are generated from the struct: example.toml and
// REFERENCE.md are checked against it by a test, and go generate writes them.
//
// Nothing here starts a goroutine, and nothing of the project is imported.
package config
