/* The JSON schema (draft 2020-12) of field tables. jansson's setters tolerate NULL, so errors show at the end only. */
#include "harness/schema.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MATRIX_PATTERN "\\$\\{[a-z0-9-]+\\}"

json_t *schema_string(const char *pattern)
{
    json_t *s = json_object();

    json_object_set_new(s, "type", json_string("string"));
    if (pattern)
        json_object_set_new(s, "pattern", json_string(pattern));
    return s;
}

json_t *schema_ref(const char *name)
{
    char path[80];
    json_t *s = json_object();

    snprintf(path, sizeof path, "#/$defs/%s", name);
    json_object_set_new(s, "$ref", json_string(path));
    return s;
}

static json_t *any_of(json_t *a, json_t *b)
{
    json_t *s = json_object();
    json_t *list = json_array();

    json_array_append_new(list, a);
    json_array_append_new(list, b);
    json_object_set_new(s, "anyOf", list);
    return s;
}

json_t *schema_array(json_t *items, bool or_one)
{
    json_t *s = json_object();

    json_object_set_new(s, "type", json_string("array"));
    json_object_set(s, "items", items);
    if (or_one)
        return any_of(items, s);
    json_decref(items);
    return s;
}

static json_t *integer(long min, long max)
{
    json_t *s = json_object();

    json_object_set_new(s, "type", json_string("integer"));
    json_object_set_new(s, "minimum", json_integer(min));
    json_object_set_new(s, "maximum", json_integer(max));
    return s;
}

/* Plain text that an editor's YAML library may take for a number or a boolean. */
static json_t *scalar(void)
{
    return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *words(const char *const *list)
{
    json_t *s = json_object();
    json_t *values = json_array();

    for (size_t i = 0; list[i]; i++)
        json_array_append_new(values, json_string(list[i]));
    json_object_set_new(s, "enum", values);
    return s;
}

static json_t *field_value(const struct schema_field *f)
{
    switch (f->kind) {
    case SCHEMA_TEXT:
        return scalar();
    case SCHEMA_NAME:
        return schema_string("^[A-Za-z0-9._-]+$");
    case SCHEMA_STRINGS:
        return schema_array(scalar(), true);
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
        return integer(f->min, f->max);
    case SCHEMA_BOOL:
    case SCHEMA_TRISTATE:
        return json_pack("{s:[b,b,s,s]}", "enum", 1, 0, "yes", "no");
    case SCHEMA_WORD:
        return words(f->words);
    case SCHEMA_CODE:
        return any_of(integer(0, 0xffff), schema_string("^0x[0-9a-fA-F]{4}$"));
    case SCHEMA_DURATION:
        return schema_string("^[0-9]+(ms|s|m)$");
    case SCHEMA_CUSTOM:
    case SCHEMA_IGNORED:
        return f->describe ? f->describe() : json_object();
    }
    return NULL;
}

/* True when a text with ${name} would not pass as it is. */
static bool needs_matrix_text(const struct schema_field *f)
{
    switch (f->kind) {
    case SCHEMA_TEXT:
    case SCHEMA_STRINGS:
    case SCHEMA_IGNORED:
    case SCHEMA_CUSTOM:
        return false;
    default:
        return true;
    }
}

json_t *schema_object(const struct schema_table *const *tables, size_t count, bool matrix)
{
    json_t *s = json_object();
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct schema_field *f = &tables[t]->fields[i];
            json_t *value = field_value(f);

            if (matrix && needs_matrix_text(f))
                value = any_of(value, schema_string(MATRIX_PATTERN));
            json_object_set_new(value, "description", json_string(f->doc));
            json_object_set_new(properties, f->name, value);
            if (f->flags & SCHEMA_REQUIRED)
                json_array_append_new(required, json_string(f->name));
        }
    json_object_set_new(s, "type", json_string("object"));
    json_object_set_new(s, "properties", properties);
    if (json_array_size(required) > 0)
        json_object_set_new(s, "required", required);
    else
        json_decref(required);
    json_object_set_new(s, "additionalProperties", json_false());
    return s;
}
