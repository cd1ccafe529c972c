/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The OpenAPI 3.1 document, built from the table of routes: it lists exactly the server's routes. */
#include <string.h>
#include "serve/endpoints.h"

static json_t *parameter(const char *name, const char *in, bool required)
{
	return json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", in, "required", required, "schema", "type", "string");
}

/* Those of the path's braces, api-version, and the query's. */
static json_t *parameters(const struct wh_serve_route *r, struct wh_arena *mem)
{
	json_t *list = json_array();
	for (const char *p = strchr(r->path, '{'); p; p = strchr(p + 1, '{'))
		json_array_append_new(list,
		                      parameter(wh_arena_printf(mem, "%.*s", (int)strcspn(p + 1, "}*"), p + 1), "path", true));
	if (r->versions)
		json_array_append_new(list, parameter("api-version", "query", true));
	for (const char *p = r->parameters; p && *p; p += strcspn(p, ","), p += *p == ',')
		json_array_append_new(list, parameter(wh_arena_printf(mem, "%.*s", (int)strcspn(p, ","), p), "query", false));
	return list;
}

static json_t *responses(const struct wh_serve_route *r)
{
	json_t *all = json_pack("{s:{s:s}, s:{s:s, s:{s:{s:{s:s}}}}}", "2XX", "description", "done", "default", "description",
	                        "an error", "content", "application/json", "schema", "$ref", "#/components/schemas/Error");
	if (r->may != WH_ANYBODY)
		json_object_set_new(all, "401",
		                    json_pack("{s:s}", "description", "no token, or one that has expired or was revoked"));
	if (r->may == WH_OPERATORS)
		json_object_set_new(all, "403", json_pack("{s:s}", "description", "the token is a reader's"));
	return all;
}

static json_t *operation(const struct wh_serve_route *r, struct wh_arena *mem)
{
	json_t *o = json_pack("{s:s, s:o, s:o}", "summary", r->summary, "parameters", parameters(r, mem), "responses",
	                      responses(r));
	json_object_set_new(o, "security", r->may == WH_ANYBODY ? json_array() : json_pack("[{s:[]}]", "token"));
	if (r->takes == WH_TAKES_BODY)
		json_object_set_new(o, "requestBody",
		                    json_pack("{s:b, s:{s:{s:{s:s}}}}", "required", 1, "content", "application/json", "schema",
		                              "type", "object"));
	if (r->versions)
		json_object_set_new(o, "x-api-versions", json_string(r->versions));
	return o;
}

WH_ENDPOINT(openapi)
{
	static const char *const methods[] = {"get", "put", "post", "delete"};
	json_t *paths = json_object();
	(void)err;
	for (const struct wh_serve_route *r = wh_routes; r->path; r++) {
		const char *star = strchr(r->path, '*'),
			   *path = star ? wh_arena_printf(c->mem, "%.*s%s", (int)(star - r->path), r->path, star + 1) : r->path;
		if (!json_object_get(paths, path))
			json_object_set_new(paths, path, json_object());
		json_object_set_new(json_object_get(paths, path), methods[r->method], operation(r, c->mem));
	}
	json_t *error = json_pack("{s:s, s:{s:{s:s, s:{s:{s:s}, s:{s:s}}}}}", "type", "object", "properties", "error", "type",
	                          "object", "properties", "code", "type", "string", "message", "type", "string");
	return wh_call_json(c, 200,
	                    json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:{s:{s:s, s:s}}, s:{s:o}}}", "openapi", "3.1.0", "info",
	                              "title", "whittle", "version", WH_VERSION, "paths", paths, "components", "securitySchemes",
	                              "token", "type", "http", "scheme", "bearer", "schemas", "Error", error));
}
