def test_a_class_is_reached_by_its_convention(autoload):
    autoload({"app/models/user.py": "class User: pass"})
    import app

    assert app.models.User.__module__ == "app.models.user"
