// Package storetest makes databases for tests: each of them fresh and empty, and gone when
// its test ends.
//
// DRAGOMAN_TEST_STORE names the engine, sqlite (the default) or postgres. PostgreSQL databases are
// made on the server at DRAGOMAN_TEST_POSTGRES, a URL that ".ci/postgres start" prints; each is a
// schema of its own there. OldData is the data directory of an earlier release.
package storetest
